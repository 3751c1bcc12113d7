#!/usr/bin/env python3
"""The load benchmark: cordon beside a bare isolate and beside workerd, in one command on one machine.

    python3 benches/load.py

It needs cargo, npm, wrk (Debian: apt-get install wrk) and, to read the memory of sealed cells, root. It builds the release server and the
floor, installs workerd into the target folder, and takes turns between the contenders, so that a noisy neighbour hits all of them;
each figure is the median of the rounds. Results: a table on stdout and JSON in the file named at the end.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "load"))
import contenders  # noqa: E402
import kept  # noqa: E402
import server  # noqa: E402

WORKERD = "1.20261117.1"

# Name, connections, whether every request brings code that nobody has sent before.
MODES = [("8 connections", 8, False), ("1 connection", 1, False), ("8 connections, new code", 8, True)]


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=8, help="length of one measurement")
    p.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    p.add_argument("--only", default="floor,workerd,cordon,memory,limits,hostile,code", help="parts to run, by comma")
    p.add_argument("--cordon", help="a built cordon, instead of building the release profile")
    p.add_argument("--floor", help="a built floor, instead of building the bench profile")
    p.add_argument("--json", help="where to write the results; default: load.json in the target's bench folder")
    return p.parse_args()


def load(parts, o, target):
    """Requests per second and latency of the contenders, in turns."""
    taken = {name: {mode: [] for mode, _, _ in MODES} for name in parts}
    with contenders.running(parts, o, target, WORKERD) as running:
        for _ in range(o.rounds):
            for mode, connections, fresh in MODES:
                for name, contender in running.items():
                    taken[name][mode].append(contender.drive(o.seconds, connections, fresh))
    middle = lambda rows: {key: statistics.median(row[key] for row in rows) for key in ("rps", "p50_ms", "p99_ms")} | {
        "errors": sum(row.get("errors", 0) for row in rows), "rounds": len(rows)}
    return {name: {mode: middle(rows) for mode, rows in modes.items()} for name, modes in taken.items()}


def ratios(results):
    """cordon against each other contender: times the throughput, and parts of the latency."""
    ours = results.get("cordon")
    rows = {}
    for name, modes in results.items():
        if not ours or name == "cordon":
            continue
        for mode, theirs in modes.items():
            rows[f"cordon / {name}, {mode}"] = {key: round(ours[mode][key] / theirs[key], 3) for key in ("rps", "p50_ms", "p99_ms")}
    return rows


def show(results):
    """The results as plain tables."""
    print(f"\n{'':42}{'runs/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'errors':>8}")
    for name, modes in results.get("load", {}).items():
        for mode, row in modes.items():
            print(f"{name + ', ' + mode:42}{row['rps']:10.1f}{row['p50_ms']:10.3f}{row['p99_ms']:10.3f}{row['errors']:8.0f}")
    for name, row in results.get("ratios", {}).items():
        print(f"{name:42}{row['rps']:9.2f}x{row['p50_ms']:9.2f}x{row['p99_ms']:9.2f}x")
    for part in ("memory", "start", "limits", "hostile", "code"):
        for name, value in results.get(part, {}).items():
            print(f"{part + ': ' + name:62}{value:>14}")


def main():
    o = options()
    parts = [part for part in o.only.split(",") if part]
    target = contenders.target_folder() / "bench"
    target.mkdir(parents=True, exist_ok=True)
    results = {"machine": contenders.machine(), "workerd": WORKERD, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    contending = [part for part in parts if part in ("floor", "workerd", "cordon")]
    if contending:
        results["load"] = load(contending, o, target)
        results["ratios"] = ratios(results["load"])
    if {"cordon", "memory", "limits", "hostile", "code"} & set(parts):
        binary = contenders.cordon_binary(o)
        if "cordon" in parts:
            results["start"] = server.start_times(binary)
        if "memory" in parts:
            results["memory"] = server.memory(binary)
        if "limits" in parts:
            results["limits"] = server.overshoot(binary)
        if "hostile" in parts:
            results["hostile"] = server.among_hostile_runs(binary, o.seconds)
        if "code" in parts:
            with server.running(binary) as s:
                results["code"] = kept.figures(s)
    show(results)
    path = pathlib.Path(o.json) if o.json else target / "load.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nwritten to {os.path.relpath(path)}; load average {os.getloadavg()[0]:.2f}")
    failed = [name for name, modes in results.get("load", {}).items() if any(row["errors"] for row in modes.values())]
    if failed:
        sys.exit(f"errors while driving {', '.join(failed)}: the figures do not count")


if __name__ == "__main__":
    main()
