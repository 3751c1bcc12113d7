#!/usr/bin/env python3
"""Runs published npm packages in the isolate: unmodified, each bundled with its suite into one module and sent to `POST /v1/runs`.

    tests/packages/run.py [NAME...]   all suites, or those named; Node and npm are needed

The versions are those of package-lock.json. A suite says what holds; exits with 1 when something does not. Everything runs under the profile `untrusted`.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "wpt"))
from house import House  # noqa: E402: the folder beside this one

BINARY = HERE.parent.parent / "target/debug/cordon"
ESBUILD = ["--bundle", "--format=esm", "--platform=browser", "--target=es2023", "--conditions=worker", "--log-level=warning"]
SEED = {"method": "POST", "url": "/greet/Ada", "headers": {"content-type": "application/json"}, "body": "[1]"}
# Suites whose default export is a handler: the input of the run, and the result that it must have.
HANDLERS = {
    "hono-handler": (
        SEED,
        {"status": 201, "headers": {"content-type": "application/json", "x-made": "here"}, "body": '{"hello":"Ada","got":[1],"run":"function"}'},
    ),
}


def install(folder):
    """The packages of the lock, without scripts of theirs."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, folder)
    shutil.copytree(HERE / "suites", folder / "suites")
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)


def bundle(folder, names):
    """The suites with what they import, one module each, by name."""
    command = [folder / "node_modules/.bin/esbuild", *(f"suites/{name}.js" for name in names), *ESBUILD, "--outdir=bundles"]
    subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)
    return {name: (folder / "bundles" / f"{name}.js").read_text() for name in names}


def wrong_with(name, report, refusal):
    """What is wrong with the outcome of a suite, one line each."""
    if report is None:
        return [f"refused: {refusal[:500]}"]
    if report["outcome"] != "ok":
        error = report["error"]
        return [f"{report['outcome']}: {error.get('name')}: {error.get('message')} {error.get('stack', '')[:300]}"]
    result = report["result"]
    if name in HANDLERS:
        return [] if result == HANDLERS[name][1] else [f"{json.dumps(result)} instead of {json.dumps(HANDLERS[name][1])}"]
    if not isinstance(result, dict) or result.get("passed", 0) == 0:
        return [f"nothing was checked: {json.dumps(result)[:300]}"]
    return result["failed"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--cordon", default=os.environ.get("CORDON_BINARY", BINARY), help="the program; target/debug/cordon unless given")
    options = parser.parse_args()
    known = sorted(file.stem for file in (HERE / "suites").glob("*.js") if file.stem != "check")
    if unknown := set(options.names) - set(known):
        sys.exit(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    told, failed = {}, False
    with tempfile.TemporaryDirectory(prefix="cordon-packages-") as scratch:
        folder = pathlib.Path(scratch)
        install(folder)
        bundles = bundle(folder, options.names or known)
        house = House(options.cordon, built_in=True)
        try:
            for name, code in bundles.items():
                report, refusal = house.run({"main.js": code}, given=HANDLERS.get(name, (None,))[0])
                complaints = wrong_with(name, report, refusal)
                failed = failed or bool(complaints)
                told[name] = {"bytes": len(code.encode()), "cpuMs": round(report["usage"]["cpuMs"]) if report else None, "wrong": complaints}
                if report and name not in HANDLERS and isinstance(report["result"], dict):
                    told[name]["passed"] = report["result"].get("passed")
        finally:
            house.close()
    print(json.dumps(told, indent=1))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
