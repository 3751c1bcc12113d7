"""What the runner of packages makes of outcomes: python3 -m unittest discover -s tests/packages"""
import unittest

from run import HANDLERS, wrong_with


def report(result=None, outcome="ok", message=""):
    return {"outcome": outcome, "result": result, "error": {"name": "TypeError", "message": message, "stack": ""}}


class Outcomes(unittest.TestCase):
    def test_a_suite_passes_when_something_was_checked_and_nothing_failed(self):
        self.assertEqual(wrong_with("zod", report({"passed": 2, "failed": []}), None), [])
        self.assertEqual(wrong_with("zod", report({"passed": 2, "failed": ["x"]}), None), ["x"])
        for nothing in ({"passed": 0, "failed": []}, None, "text"):
            self.assertEqual(len(wrong_with("zod", report(nothing), None)), 1, nothing)

    def test_a_run_that_was_refused_or_ended_otherwise_is_told(self):
        self.assertEqual(len(wrong_with("zod", None, "too large")), 1)
        self.assertEqual(len(wrong_with("zod", report(None, "exceededCpu"), None)), 1)

    def test_a_handler_answers_exactly_what_it_must(self):
        wanted = HANDLERS["hono-handler"][1]
        self.assertEqual(wrong_with("hono-handler", report(wanted), None), [])
        self.assertEqual(len(wrong_with("hono-handler", report({**wanted, "status": 200}), None)), 1)


if __name__ == "__main__":
    unittest.main()
