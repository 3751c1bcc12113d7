"""What is expected of each test, and how what came of it differs.

The file is JSON: `tests` has, by a test's id, its harness status and the names of the subtests that do not pass, each for the reason in `because`; a test
that is not named is expected to pass wholly. `either` has patterns of ids about which nothing is expected, with the reason; with `because` and
`subtests`, only about those subtests. In patterns, `*` stands for any characters.
"""
import json
import pathlib
import re

NOT_TOLD = "recorded, not explained yet"


def matches(pattern, text):
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


class Expectations:
    """The expectations of one file."""

    def __init__(self, tests=None, either=None):
        self.tests, self.either = tests or {}, either or {}

    @classmethod
    def read(cls, path):
        document = json.loads(pathlib.Path(path).read_text())
        unknown = set(document) - {"tests", "either"}
        if unknown:
            raise ValueError(f"{path}: unknown keys {sorted(unknown)}")
        return cls(document.get("tests"), document.get("either"))

    def write(self, path):
        document = {"either": self.either, "tests": dict(sorted(self.tests.items()))}
        pathlib.Path(path).write_text(json.dumps(document, indent=1) + "\n")

    def is_open(self, test, subtest=None):
        """Whether nothing is expected of a test, or of one of its subtests."""
        rules = [rule for pattern, rule in self.either.items() if matches(pattern, test)]
        if any(isinstance(rule, str) for rule in rules):
            return True
        return subtest is not None and any(matches(pattern, subtest) for rule in rules for pattern in rule["subtests"])

    def judge(self, test, outcome):
        """How `outcome` differs from what is expected, one line each."""
        if self.is_open(test):
            return []
        wanted = self.tests.get(test, {})
        complaints = []
        if outcome["harness"] != wanted.get("harness", "OK"):
            complaints.append(f"{test}: {outcome['harness']} instead of {wanted.get('harness', 'OK')}: {outcome.get('message', '')}")
        found = {name: (status, message) for name, status, message in outcome.get("others", []) if not self.is_open(test, name)}
        expected = {name for name in wanted.get("fails", []) if not self.is_open(test, name)}
        complaints += [f"{test}: {status}: {name}: {message}" for name, (status, message) in found.items() if name not in expected]
        complaints += [f"{test}: passes or is gone: {name}" for name in sorted(expected - set(found))]
        if sum(outcome.get("counts", {}).values()) == 0 and outcome["harness"] == "OK":
            complaints.append(f"{test}: no subtest was run")
        return complaints

    def missing(self, ids):
        """Tests of which something is expected and that were not run."""
        return [f"{test}: expected, and not run" for test in sorted(set(self.tests) - set(ids))]

    def record(self, outcomes):
        """Takes what came out for what is expected; reasons that were told stay."""
        recorded = {}
        for test, outcome in outcomes.items():
            fails = sorted(name for name, _, _ in outcome.get("others", []) if not self.is_open(test, name))
            if self.is_open(test) or (outcome["harness"] == "OK" and not fails):
                continue
            because = self.tests.get(test, {}).get("because", NOT_TOLD)
            recorded[test] = {"because": because, **({} if outcome["harness"] == "OK" else {"harness": outcome["harness"]})}
            if fails:
                recorded[test]["fails"] = fails
        self.tests = recorded
