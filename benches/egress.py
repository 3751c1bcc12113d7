#!/usr/bin/env python3
"""The egress benchmark: a guest's fetch through the broker beside the same fetch by a bare hyper client, in one command on one machine.

    python3 benches/egress.py

It needs cargo and, to read the memory of sealed cells, root. It builds the release server and the floor (origin and bare client, a package of its
own without V8), puts all on loopback, and takes turns between the contenders, so that a noisy neighbour hits both; each figure is the median of the
rounds. All times are the origin's, between one arrival and the next. Results: a table on stdout and JSON in the file named at the end.
"""
import argparse
import json
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE / "load"), str(HERE / "egress")]
import contenders  # noqa: E402
import parts  # noqa: E402
import world  # noqa: E402

# Requests before the counted ones: connections open, code is compiled.
WARMUP = 200


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--requests", type=int, default=2000, help="small requests of one measurement")
    p.add_argument("--bytes", type=int, default=100_000_000, help="length of a streamed body")
    p.add_argument("--runs", type=int, default=200, help="runs at once that await the origin")
    p.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    p.add_argument("--only", default="small,take,give,crowd", help="parts to run, by comma")
    p.add_argument("--cordon", help="a built cordon, instead of building the release profile")
    p.add_argument("--floor", help="a built egress-floor, instead of building it")
    p.add_argument("--json", help="where to write the results; default: egress.json in the target's bench folder")
    return p.parse_args()


def in_turns(o, origin, s, wanted):
    """The figures of both contenders, by part and protocol."""
    taken = {}
    for _ in range(o.rounds):
        for protocol, name in world.PROTOCOLS.items():
            for part in wanted:
                if part == "small":
                    row = parts.small(origin, s, protocol, o.requests, WARMUP)
                else:
                    row = parts.stream(origin, s, protocol, part, o.bytes)
                taken.setdefault(part, {}).setdefault(name, []).append(row)
    return {part: {name: parts.medians(rows) for name, rows in names.items()} for part, names in taken.items()}


def show(results):
    """The results as plain tables."""
    if "small" in results:
        print(f"\n{'a small fetch, microseconds':30}{'bare p50':>10}{'cordon p50':>12}{'added':>9}{'ratio':>7}{'bare p99':>11}{'cordon p99':>12}"
              f"{'added':>9}{'ratio':>7}{'cell CPU':>10}")
        for name, row in results["small"].items():
            line = f"{name:30}"
            for key, wide in (("p50_us", 10), ("p99_us", 11)):
                bare, ours = row["bare"][key], row["cordon"][key]
                line += f"{bare:{wide}.0f}{ours:12.0f}{ours - bare:9.0f}{ours / bare:6.1f}x"
            print(f"{line}{row['cordon']['cpu_us']:10.0f}")
    for part, words in (("take", "a response body is read"), ("give", "a ReadableStream is sent")):
        for at, (name, row) in enumerate(results.get(part, {}).items()):
            if at == 0:
                print(f"\n{words + ', MB/s':40}{'bare':>10}{'cordon':>10}{'ratio':>8}{'cpuMs':>10}")
            bare, ours = row["bare"]["mb_per_s"], row["cordon"]["mb_per_s"]
            print(f"{name:40}{bare:10.0f}{ours:10.0f}{ours / bare:7.2f}x{row['cordon']['cpu_ms']:10.0f}")
    print()
    for name, value in results.get("crowd", {}).items():
        print(f"{name:58}{value:>14}")


def main():
    o = options()
    wanted = [part for part in o.only.split(",") if part]
    target = contenders.target_folder() / "bench"
    target.mkdir(parents=True, exist_ok=True)
    results = {"machine": contenders.machine(), "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    with world.running(o) as (origin, s):
        results |= in_turns(o, origin, s, [part for part in wanted if part != "crowd"])
        if "crowd" in wanted:
            results["crowd"] = parts.crowd(origin, s, o.runs, o.rounds)
    show(results)
    path = pathlib.Path(o.json) if o.json else target / "egress.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nwritten to {os.path.relpath(path)}; load average {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
