#!/usr/bin/env python3
"""Runs tests that are laid out like web-platform-tests in the isolate, each as a run of its own.

    tests/wpt/run.py --wpt DIR [PATTERN...]   the areas of a checkout (tests/wpt/suite.py), or what matches by path
    tests/wpt/run.py --own                    the small set beside this file, which tests the harness itself

Prints the counts of each area as JSON, what was not run with the reason, and what differs from the expectations; exits with 1 when something does.
A server is started with profiles of its own, and an origin on loopback; `--server URL` takes one that runs already, under its profile `--profile`.
"""
import argparse
import base64
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time

from expect import Expectations
from house import House
from origin import Names, Origin
from suite import AREAS, Checkout, Unrunnable

HERE = pathlib.Path(__file__).resolve().parent
BINARY = HERE.parent.parent / "target/debug/cordon"
# Publishes testharness.js, for trees that have none; npm checks what it fetches, and so does this.
PACKAGE = "wpt-runner@7.0.0"
INTEGRITY = "sha512-hMFl9Dwlc8cztxhm0y2SjLA9LmZdLk5w5ySLpDFNgPh37zjzgjaTvxsyMUSkrVFSW8eVc3qQhyNm3wK83+VqVQ=="
# How often a test is run again because it fetched files of the checkout that were not sent along.
ROUNDS_MAX = 4
# What a test with the normal timeout has, as in testharness.js, and in our own set, where some are never done.
NORMAL_SECONDS = {False: 10, True: 2}
# Wall time for telling that the time is up.
SLACK_MS = 5000


def testharness(root):
    """The text of testharness.js and where it is from: the checkout, or the package."""
    own = pathlib.Path(root, "resources/testharness.js")
    if own.is_file():
        return own.read_text(), "the checkout"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--loglevel=error", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = pathlib.Path(folder).glob("*.tgz")
        found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != INTEGRITY:
            sys.exit(f"{PACKAGE} is {found}, not {INTEGRITY}")
        with tarfile.open(archive) as package:
            return package.extractfile("package/testharness/testharness.js").read().decode(), PACKAGE


def outcome_of(report, refusal):
    """What came of a run, in the words of the harness."""
    if report is None:
        return {"harness": "REFUSED", "message": refusal[:500], "counts": {}, "others": []}
    if report["outcome"] != "ok":
        message = (report.get("error") or {}).get("message", "")
        return {"harness": report["outcome"], "message": message[:500], "counts": {}, "others": []}
    return report["result"]


def run_test(house, checkout, harness, origin, test, seconds):
    """Runs one test, again when it fetched files that it had not been given."""
    files, milliseconds = {}, test.milliseconds(seconds)
    # The test's own timeout comes first, unless it never lets go of the thread.
    limits = {"cpuMs": milliseconds, "wallMs": milliseconds + SLACK_MS}
    try:
        for _ in range(ROUNDS_MAX):
            outcome = outcome_of(*house.run(checkout.modules(test, harness, origin, files, milliseconds), limits))
            wanted = [path for path in outcome.pop("wanted", []) if path not in files]
            if not wanted:
                return outcome
            for path in wanted:
                file = checkout.file(path)
                files[path] = None if file is None else base64.b64encode(file.read_bytes()).decode()
        return outcome
    except Unrunnable as reason:
        return {"harness": "UNRUNNABLE", "message": str(reason), "counts": {}, "others": []}


def summary(tests, outcomes, skipped):
    """The counts by area."""
    areas = {}
    zero = {"tests": 0, "pass": 0, "fail": 0, "timeout": 0, "notRun": 0, "broken": 0, "skipped": 0}
    keys = {"PASS": "pass", "TIMEOUT": "timeout", "NOTRUN": "notRun"}
    for test in tests:
        counts = areas.setdefault(test.area, dict(zero))
        outcome = outcomes[test.id]
        counts["tests"] += 1
        counts["broken"] += outcome["harness"] != "OK"
        for status, count in outcome["counts"].items():
            counts[keys.get(status, "fail")] += count
    for area, _, _ in skipped:
        areas.setdefault(area, dict(zero))["skipped"] += 1
    return areas


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tree = parser.add_mutually_exclusive_group(required=True)
    tree.add_argument("--wpt", metavar="DIR", help="a checkout of web-platform-tests")
    tree.add_argument("--own", action="store_true", help="the set beside this file")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="paths to run, such as 'url/*'")
    parser.add_argument("--cordon", default=os.environ.get("CORDON_BINARY", BINARY), help="the program; target/debug/cordon unless given")
    parser.add_argument("--server", metavar="URL", help="a public listener to use instead of a server of its own")
    parser.add_argument("--profile", help="the profile to run under on --server")
    parser.add_argument("--seconds", type=float, help="what a test without `timeout=long` has, which has six times that")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--details", metavar="FILE", help="where every outcome is written, as JSON")
    parser.add_argument("--expectations", metavar="FILE", help="tests/wpt/expectations.json, or own/expectations.json with --own, unless given")
    parser.add_argument("--write-expectations", action="store_true", help="takes what comes out for what is expected")
    return parser.parse_args()


def run_all(options, checkout, tests, harness):
    names, origin, house, outcomes = Names(), None, None, {}
    try:
        origin = Origin(checkout.root)
        house = House(options.cordon, options.server, origin, names)
        if options.profile:
            house.profile = {"profile": options.profile}
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            work = {pool.submit(run_test, house, checkout, harness, origin, test, options.seconds): test for test in tests}
            for done in concurrent.futures.as_completed(work):
                outcomes[work[done].id] = done.result()
        return outcomes, origin.kind
    finally:
        for part in (house, origin, names):
            if part is not None:
                part.close()


def main():
    options = arguments()
    options.seconds = options.seconds or NORMAL_SECONDS[options.own]
    started = time.monotonic()
    root = HERE / "own" if options.own else options.wpt
    checkout = Checkout(root)
    expectations_file = options.expectations or (HERE / "own/expectations.json" if options.own else HERE / "expectations.json")
    expectations = Expectations.read(expectations_file)
    tests, skipped = checkout.tests(AREAS, options.patterns)
    if not tests:
        sys.exit(f"{root} has no test to run")
    harness, harness_from = testharness(root)
    outcomes, origin_kind = run_all(options, checkout, tests, harness)
    unexpected = [line for test in tests for line in expectations.judge(test.id, outcomes[test.id])]
    if not options.patterns:
        unexpected += expectations.missing(outcomes)
    if options.write_expectations:
        expectations.record(outcomes)
        expectations.write(expectations_file)
    if options.details:
        pathlib.Path(options.details).write_text(json.dumps({"outcomes": outcomes, "skipped": skipped}, indent=1) + "\n")
    reasons = collections.defaultdict(list)
    for _, path, reason in skipped:
        reasons[reason].append(path)
    told = {"testharness": harness_from, "origin": origin_kind, "seconds": round(time.monotonic() - started, 1)}
    print(json.dumps({**told, "areas": summary(tests, outcomes, skipped), "skipped": reasons, "unexpected": unexpected}, indent=1))
    sys.exit(1 if unexpected and not options.write_expectations else 0)


if __name__ == "__main__":
    main()
