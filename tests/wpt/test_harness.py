"""The parts of the harness that need no server: python3 -m unittest discover -s tests/wpt"""
import pathlib
import struct
import tempfile
import types
import unittest

import origin
from expect import Expectations
from run import outcome_of, summary
from suite import Checkout, Unrunnable, implied_globals, read_meta, substitute

ORIGIN = types.SimpleNamespace(host="a.test", port=81)


def outcome(harness="OK", passed=1, **others):
    counts = {"PASS": passed, **{status: 1 for status in others.values()}}
    return {"harness": harness, "message": "", "counts": counts, "others": [[name, status, "why"] for name, status in others.items()]}


class Meta(unittest.TestCase):
    def test_every_line_is_read_until_the_first_line_of_code(self):
        meta = read_meta("// META: script=a.js\n//META: script=/b.js\n\n// words\n// META: timeout=long\n// META: variant=?1-2\n// META: variant=?3-last\nx\n// META: script=late.js")
        self.assertEqual(meta.scripts, ("a.js", "/b.js"))
        self.assertEqual((meta.timeout, meta.variants), ("long", ("?1-2", "?3-last")))

    def test_a_test_without_lines_is_for_workers_has_one_variant_and_the_normal_timeout(self):
        meta = read_meta("'use strict'")
        self.assertTrue(meta.wants_scope())
        self.assertEqual((meta.variants, meta.timeout), (("",), "normal"))

    def test_scopes_that_the_isolate_is_not_like_are_told_apart(self):
        for scopes in ("worker", "window, dedicatedworker", "shadowrealm", "window,any"):
            self.assertTrue(read_meta(f"// META: global={scopes}").wants_scope(), scopes)
        for scopes in ("window", "serviceworker,sharedworker", "window,serviceworker"):
            self.assertFalse(read_meta(f"// META: global={scopes}").wants_scope(), scopes)


class Substitution(unittest.TestCase):
    def test_names_and_ports_of_the_origin_are_filled_in_and_the_rest_stays(self):
        text = "{{host}} {{domains[www1]}} {{hosts[alt][]}} {{ports[http][0]}} {{ports[https][0]}} {{GET[x]}}"
        self.assertEqual(substitute(text, ORIGIN), "a.test www1.a.test a.test 81 0 {{GET[x]}}")

    def test_a_constant_that_is_spelled_as_eval_becomes_the_constant_and_other_code_does_not(self):
        self.assertEqual(substitute("eval('{{ports[http][0]}}') + eval('\\'{{host}}\\'')", ORIGIN), "81 + 'a.test'")
        self.assertEqual(substitute("eval('f()')", ORIGIN), "eval('f()')")


class ImpliedGlobals(unittest.TestCase):
    def test_names_that_are_assigned_and_never_declared_are_found(self):
        self.assertEqual(implied_globals("a = [];\nfunction f() {\n  b = 1;\n}\nfor (c = 0; c < 1; c++) ;\nlet d;\nd = 2;\ne == 3;\nf => 4;\ng.h = 5;"), ["a", "b", "c"])


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.write("url/a.any.js", "// META: script=../common/x.sub.js\n// META: variant=?1\n// META: variant=?2\nlet y;")
        self.write("url/b.any.js", "// META: global=window\n")
        self.write("url/c.h2.any.js", "")
        self.write("url/d.any.js", "// META: script=gone.js\n")
        self.write("url/page.html", "")
        self.write("common/x.sub.js", "let x = '{{host}}';")
        self.checkout = Checkout(self.root)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def test_variants_are_tests_and_what_is_not_run_has_its_reason(self):
        run, skipped = self.checkout.tests(("url", "streams"))
        self.assertEqual([test.id for test in run], ["url/a.any.js?1", "url/a.any.js?2", "url/d.any.js"])
        self.assertEqual([path for _, path, _ in skipped], ["url/b.any.js", "url/c.h2.any.js", "streams"])
        _, unasked = self.checkout.tests(("url",), ["url/d*"])
        self.assertIn(("url", "url/a.any.js", "not asked for"), unasked)

    def test_scripts_and_test_share_one_scope_and_the_harness_is_not_touched(self):
        run, _ = self.checkout.tests(("url",))
        modules = self.checkout.modules(run[0], "harness text", ORIGIN, {}, 10000)
        self.assertEqual(modules["testharness.js"], "harness text")
        self.assertLess(modules["test.js"].index("let x = 'a.test';"), modules["test.js"].index("let y;"))
        self.assertIn('"href": "http://a.test:81/url/a.any.worker.html?1"', modules["job.js"])

    def test_a_script_that_is_not_there_is_told_and_nothing_outside_the_checkout_is_read(self):
        run, _ = self.checkout.tests(("url",))
        with self.assertRaises(Unrunnable):
            self.checkout.modules(run[-1], "", ORIGIN, {}, 1)
        self.assertIsNone(self.checkout.file("/../../../etc/passwd"))
        self.assertIsNotNone(self.checkout.file("/url/page.html"))


class Judging(unittest.TestCase):
    def test_what_is_expected_is_no_complaint_and_both_kinds_of_surprise_are(self):
        expectations = Expectations({"a": {"because": "r", "fails": ["x"]}})
        self.assertEqual(expectations.judge("a", outcome(x="FAIL")), [])
        self.assertEqual(len(expectations.judge("a", outcome())), 1)
        self.assertEqual(len(expectations.judge("a", outcome(x="FAIL", y="TIMEOUT"))), 1)
        self.assertEqual(len(expectations.judge("b", outcome(x="NOTRUN"))), 1)

    def test_a_harness_that_ended_otherwise_and_one_that_ran_nothing_are_complaints(self):
        expectations = Expectations({"a": {"because": "r", "harness": "ERROR"}}, {"open/*": "reason"})
        self.assertEqual(expectations.judge("a", outcome("ERROR")), [])
        self.assertEqual(len(expectations.judge("a", outcome())), 1)
        self.assertEqual(len(expectations.judge("b", outcome("crashed"))), 1)
        self.assertEqual(len(expectations.judge("b", outcome(passed=0))), 1)
        self.assertEqual(expectations.judge("open/x", outcome("crashed")), [])
        self.assertEqual(len(expectations.missing(["b"])), 1)

    def test_subtests_may_be_left_open_and_the_others_are_judged(self):
        expectations = Expectations({}, {"url/*": {"because": "r", "subtests": ["Parsing: <file:*>*"]}})
        self.assertEqual(expectations.judge("url/a?x", outcome(**{"Parsing: <file:[1]>\n": "FAIL"})), [])
        self.assertEqual(len(expectations.judge("url/a", outcome(**{"Parsing: <http:>": "FAIL"}))), 1)
        self.assertEqual(len(expectations.judge("other/a", outcome(**{"Parsing: <file:>": "FAIL"}))), 1)

    def test_what_is_recorded_is_expected_and_keeps_its_reason(self):
        expectations = Expectations({"a": {"because": "told", "fails": ["old"]}, "gone": {"because": "old"}})
        outcomes = {"a": outcome(x="FAIL"), "b": outcome("TIMEOUT"), "c": outcome()}
        expectations.record(outcomes)
        self.assertEqual(expectations.tests["a"], {"because": "told", "fails": ["x"]})
        self.assertEqual(sorted(expectations.tests), ["a", "b"])
        self.assertEqual([line for test in outcomes for line in expectations.judge(test, outcomes[test])], [])


class Outcomes(unittest.TestCase):
    def test_a_run_that_was_refused_or_did_not_end_well_is_an_outcome_of_its_own(self):
        self.assertEqual(outcome_of(None, "why")["harness"], "REFUSED")
        self.assertEqual(outcome_of({"outcome": "exceededMemory", "error": None}, None)["harness"], "exceededMemory")

    def test_the_counts_of_an_area_add_up(self):
        tests = [types.SimpleNamespace(area="url", id=name) for name in "ab"]
        outcomes = {"a": outcome(x="FAIL", y="TIMEOUT"), "b": outcome("crashed", passed=0, z="PRECONDITION_FAILED")}
        counts = summary(tests, outcomes, [("url", "c", "reason")])["url"]
        self.assertEqual(counts, {"tests": 2, "pass": 1, "fail": 2, "timeout": 1, "notRun": 0, "broken": 1, "skipped": 1})


class Names(unittest.TestCase):
    def ask(self, name, kind):
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        return origin.answer(struct.pack("!HHHHHH", 7, 256, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1))

    def test_the_origin_and_what_is_below_it_lead_to_loopback_and_nothing_else_anywhere(self):
        for name in (origin.HOST, f"www.{origin.HOST.upper()}"):
            self.assertTrue(self.ask(name, 1).endswith(b"\x7f\0\0\x01"), name)
        self.assertEqual(self.ask(origin.HOST, 28)[6:8], b"\0\0")
        for other in (f"x{origin.HOST}", "example.com"):
            reply = self.ask(other, 1)
            self.assertEqual((reply[3] & 15, reply[6:8]), (3, b"\0\0"), other)


if __name__ == "__main__":
    unittest.main()
