"""What the egress benchmark measures. All times are the origin's, taken as requests arrive: one clock and one place for both contenders."""
import contextlib
import json
import pathlib
import re
import statistics
import sys
import threading
import time

import server

# One run each. `@` is the URL, `#` the number of requests or bytes.
SMALL = """export default async () => {
  for (let i = 0; i < #; i++) {
    const answer = await fetch("@/small");
    if (await answer.text() !== "ok") throw new Error(`status ${answer.status}`);
  }
  return #;
};"""
TAKE = """export default async () => {
  let bytes = 0;
  for await (const piece of (await fetch("@/bytes/#")).body) bytes += piece.length;
  await (await fetch("@/small")).text();
  return bytes;
};"""
GIVE = """export default async () => {
  // Random, since bodies are looked through on their way: zeros begin no word that is looked for.
  const piece = crypto.getRandomValues(new Uint8Array(65536));
  let left = #;
  const body = new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const some = Math.min(left, piece.length);
      left -= some;
      controller.enqueue(piece.subarray(0, some));
    },
  });
  const answer = await fetch("@/sink", { method: "POST", body, duplex: "half" });
  const bytes = Number(await answer.text());
  await (await fetch("@/small")).text();
  return bytes;
};"""
WAIT = """export default async () => await (await fetch("@")).text();"""


def done(s, code, expected, connection=None):
    """The usage of a run that must give `expected`."""
    report = s.run(code, connection, profile="validated")
    if report.get("outcome") != "ok" or report.get("result") != expected:
        sys.exit(f"a run ended as {str(report)[:1000]}")
    return report["usage"]


def filled(code, url, number):
    return code.replace("@", url).replace("#", str(number))


def gaps(arrived):
    """Microseconds from each request to the next."""
    return [later - earlier for (_, earlier), (_, later) in zip(arrived, arrived[1:])]


def small(origin, s, protocol, requests, warmup):
    """p50 and p99 between one small request and the next, in microseconds, of both contenders; and the CPU time of a request in the cell."""
    origin.take()
    origin.bare(protocol, "small", warmup + requests)
    bare = gaps(origin.take())[warmup:]
    usage = done(s, filled(SMALL, origin.url(protocol, ""), warmup + requests), warmup + requests)
    ours = gaps(origin.take())[warmup:]
    both = {}
    for name, taken in (("bare", bare), ("cordon", ours)):
        if len(taken) != requests - 1:
            sys.exit(f"{len(taken) + 1} requests of {name} instead of {requests}")
        both[name] = {part: server.percentile(taken, number) for part, number in (("p50_us", 50), ("p99_us", 99))}
    both["cordon"]["cpu_us"] = usage["cpuMs"] * 1e3 / (warmup + requests)
    return both


def stream(origin, s, protocol, work, size):
    """MB per second of both contenders, and the run's CPU time. A small request after the body marks its end."""
    origin.take()
    origin.bare(protocol, work, size)
    (bare,) = gaps(origin.take())
    usage = done(s, filled({"take": TAKE, "give": GIVE}[work], origin.url(protocol, ""), size), size)
    (ours,) = gaps(origin.take())
    return {"bare": {"mb_per_s": size / bare}, "cordon": {"mb_per_s": size / ours, "cpu_ms": usage["cpuMs"]}}


def medians(rounds):
    """The median of each figure over the rounds."""
    return {who: {key: statistics.median(row[who][key] for row in rounds) for key in rounds[0][who]} for who in rounds[0]}


def status(pid, name):
    """A number of /proc/PID/status."""
    return int(re.search(rf"^{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


@contextlib.contextmanager
def at_once(s, code, expected, number):
    """So many runs under way at once; what they used, once they are over."""
    usages, failed = [], []

    def one():
        try:
            usages.append(done(s, code, expected))
        except (SystemExit, Exception) as error:  # A thread's end must end the benchmark.
            failed.append(error)

    runs = [threading.Thread(target=one) for _ in range(number)]
    for run in runs:
        run.start()
    yield usages
    for run in runs:
        run.join()
    if failed or len(usages) != number:
        sys.exit(f"{len(failed)} of {number} runs did not end ok: {failed[:1]}")


def crowd(origin, s, number, rounds):
    """So many runs at once, each of which awaits one answer: first of an origin that takes a second, then of one that answers when all are there."""
    pid = s.process.pid
    answered = [done(s, WAIT.replace("@", origin.url("plain", "/wait/0")), "ok")["cpuMs"] for _ in range(50)]
    server.settled(s, 1)
    origin.take()
    bare, totals, charged = [], [], []
    for _ in range(rounds):
        bare.append(json.loads(origin.bare("plain", "wait", number)))
        start = time.monotonic()
        with at_once(s, WAIT.replace("@", origin.url("plain", "/wait/1000")), "ok", number) as usages:
            pass
        totals.append((time.monotonic() - start) * 1e3)
        charged += [usage["cpuMs"] for usage in usages]
    server.settled(s, 1)
    before = {name: status(pid, name) for name in ("Threads", "VmRSS")}
    with at_once(s, WAIT.replace("@", origin.url("plain", f"/gather/{number}")), "ok", number) as usages:
        if origin.line() != "gathered\n":
            sys.exit("the origin speaks out of turn")
        during = {name: status(pid, name) for name in before}
        cells = {cell: server.private_kb(cell) for cell in s.cells()}
        origin.order("release")
    origin.take()
    gone = set(cells) - s.cells()
    waiting = [cells[cell] for cell in gone if cells[cell] is not None]
    if len(waiting) < number:
        sys.exit(f"the memory of {len(waiting)} waiting cells was read, of {number}: run as root")
    charged += [usage["cpuMs"] for usage in usages]
    return {
        f"{number} runs that each await 1 s, all of them, ms": round(statistics.median(totals), 1),
        "the bare client's as many requests, ms": statistics.median(row["ms"] for row in bare),
        "CPU charged to such a run, median ms": round(statistics.median(charged), 2),
        "and to the one that was charged most, ms": round(max(charged), 2),
        "and to one alone that is answered at once, median ms": round(statistics.median(answered), 2),
        "threads of the supervisor before": before["Threads"],
        f"threads of the supervisor while {number} wait": during["Threads"],
        "RSS of the supervisor meanwhile, KB": during["VmRSS"],
        "and how much it grew, KB": during["VmRSS"] - before["VmRSS"],
        "the bare client's growth, KB": statistics.median(row["kb"] for row in bare),
        "private memory of a waiting cell, median KB": int(statistics.median(waiting)),
        "and of the largest, KB": max(waiting),
    }
