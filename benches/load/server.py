"""A cordon server for the benchmark, and what is measured of it alone: starts, memory, limits, neighbours."""
import contextlib
import http.client
import json
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

# The server runs on its defaults, but for the pool of idle cells of the memory figures.
IDLE_CELLS = 500

CPU_LIMIT_MS = 20
# V8 polls for interrupts in the first and not in the second (a native loop over an array-like).
LOOP = "export default () => { for (;;) {} };"
NATIVE_LOOP = "export default () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);"
BENIGN = "export default () => ({ ok: 1 + 1 });"
HOSTILE = [
    LOOP,
    NATIVE_LOOP,
    "export default () => { const hoard = []; for (;;) hoard.push(new Array(1e5).fill(hoard.length)); };",
    "export default () => { const hoard = []; for (;;) hoard.push(new Uint8Array(1 << 20).fill(1)); };",
    "export default () => { for (;;) console.log('x'.repeat(1000)); };",
    "export default async () => { const again = () => Promise.resolve().then(again); await again(); };",
]


def until_it_listens(port, process):
    """Waits for a port of a process that was just started."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with status {process.returncode}")
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    sys.exit(f"{process.args[0]} does not listen on {port}")


class Server:
    """A running `cordon serve`."""

    def __init__(self, process, public, operator):
        self.process, self.public, self.operator = process, public, operator

    def run(self, code, connection=None, **members):
        """The report of one run."""
        connection = connection or self.connect()
        connection.request("POST", "/v1/runs", json.dumps({"code": code, **members}), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return json.loads(answer.read())

    def connect(self):
        address = urllib.parse.urlsplit(self.public)
        return http.client.HTTPConnection(address.hostname, address.port, timeout=60)

    def samples(self, name):
        """The samples of one metric: labels and value."""
        with urllib.request.urlopen(self.operator + "/metrics", timeout=10) as answer:
            text = answer.read().decode()
        rows = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", text, re.MULTILINE)
        return [(dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)) for labels, value in rows]

    def count(self, name, **wanted):
        """The sum of a metric's samples that have these labels."""
        return sum(value for labels, value in self.samples(name) if wanted.items() <= labels.items())

    def cells(self):
        """Process ids of the cells of the fullest zygote: the largest family of leaves below the supervisor."""
        parents = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, ValueError):
                text = stat.read_text()
                parents[int(text.split(" ", 1)[0])] = int(text.rsplit(")", 1)[1].split()[1])
        children = {}
        for pid, parent in parents.items():
            children.setdefault(parent, []).append(pid)
        below, todo = [], [self.process.pid]
        while todo:
            below.append(todo.pop())
            todo.extend(children.get(below[-1], []))
        families = {}
        for pid in below[1:]:
            if pid not in children:
                families.setdefault(parents[pid], set()).add(pid)
        return max(families.values(), key=len, default=set())


@contextlib.contextmanager
def running(binary, settings=""):
    """A server with these settings in a data folder of its own, on ports that it picks."""
    with tempfile.TemporaryDirectory() as data:
        config = pathlib.Path(data, "cordon.toml")
        config.write_text(settings)
        listen = ["--config", str(config), "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--data", f"{data}/data"]
        process = subprocess.Popen([binary, "serve", *listen], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            found = {}
            for line in process.stdout:
                match = re.match(r"listening (public|operator) (http://\S+)", line)
                if match:
                    found[match[1]] = match[2].rstrip("/")
                if len(found) == 2:
                    break
            else:
                sys.exit(f"cordon ended with status {process.wait()} before it listened")
            threading.Thread(target=lambda: all(process.stdout), daemon=True).start()
            yield Server(process, found["public"], found["operator"])
        finally:
            process.terminate()
            process.wait(timeout=60)


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part / 100))]


def start_times(binary):
    """From nothing to the first answer, and from an order to the first guest instruction."""
    cold = []
    for _ in range(3):
        start = time.monotonic()
        with running(binary) as s:
            if s.run(BENIGN).get("outcome") != "ok":
                sys.exit("the first run did not end ok")
            cold.append((time.monotonic() - start) * 1e3)
    with running(binary) as s:
        connection = s.connect()
        reports = [s.run(BENIGN, connection) for _ in range(500)]
        warm = [report["usage"]["startMs"] for report in reports]
    return {"server from nothing to its first answer, ms": round(statistics.median(cold), 1),
            "warm start in the cell, p50 ms": round(percentile(warm, 50), 3), "warm start in the cell, p99 ms": round(percentile(warm, 99), 3)}


def private_kb(pid):
    """Memory that a process has to itself, in KB; needs root, since sealed processes are not dumpable."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return sum(int(kb) for kb in re.findall(r"^Private_(?:Clean|Dirty): +(\d+)", text, re.MULTILINE))
    return None


def settled(s, wanted, seconds=60):
    """The cells, once there are `wanted` of them and none comes or goes."""
    deadline, before = time.monotonic() + seconds, set()
    while time.monotonic() < deadline:
        now = s.cells()
        if len(now) >= wanted and now == before:
            return now
        before = now
        time.sleep(0.5)
    sys.exit(f"{len(before)} cells instead of {wanted}")


def memory(binary):
    """Private memory of idle cells with 500 idle, and of cells that await a timer."""
    rows = {}
    with running(binary, f"[pool]\nuntrusted = {IDLE_CELLS}\n") as s:
        idle = [kb for kb in map(private_kb, settled(s, IDLE_CELLS)) if kb is not None]
    if not idle:
        sys.exit("the memory of cells cannot be read: run as root")
    rows[f"private memory of an idle cell, {len(idle)} idle, median KB"] = int(statistics.median(idle))
    rows["and of the largest, KB"] = max(idle)
    with running(binary) as s:
        before = settled(s, 3)
        waiting = "export default () => new Promise((done) => setTimeout(() => done({ ok: 2 }), 1500));"
        reports = []
        runs = [threading.Thread(target=lambda: reports.append(s.run(waiting, limits={"wallMs": 2000}))) for _ in range(2)]
        for run in runs:
            run.start()
        time.sleep(0.7)
        during = {pid: private_kb(pid) for pid in s.cells()}
        for run in runs:
            run.join()
        gone = set(during) - s.cells()
        waited = [during[pid] for pid in gone if during[pid] is not None]
        if any(report.get("outcome") != "ok" for report in reports) or not waited:
            sys.exit(f"no waiting cell was seen among {len(before)}: {reports}")
    return rows | {"private memory of a cell that awaits a timer, largest KB": max(waited)}


def overshoot(binary):
    """How far the kernel's account of a run's CPU goes past its limit."""
    rows = {}
    with running(binary) as s:
        for name, code, runs in (("where V8 can be interrupted", LOOP, 200), ("where it cannot", NATIVE_LOOP, 60)):
            over = []
            for _ in range(runs):
                report = s.run(code, limits={"cpuMs": CPU_LIMIT_MS})
                if report.get("outcome") != "exceededCpu":
                    sys.exit(f"a loop ended as {report}")
                over.append(report["usage"]["cpuMs"] - CPU_LIMIT_MS)
            rows[f"overshoot of {CPU_LIMIT_MS} ms of CPU {name}, p50 ms"] = round(percentile(over, 50), 2)
            rows[f"overshoot of {CPU_LIMIT_MS} ms of CPU {name}, p99 ms"] = round(percentile(over, 99), 2)
    return rows


def latencies(s, seconds, neighbours):
    """Latency of benign runs from four clients, each of which sends one of `neighbours` between two of them. With small limits: many in few seconds."""
    taken, wrong, lock, end = [], [], threading.Lock(), time.monotonic() + seconds

    def client(number):
        connection, turn, own = s.connect(), number, []
        while time.monotonic() < end:
            start = time.monotonic()
            report = s.run(BENIGN, connection)
            own.append((time.monotonic() - start) * 1e3)
            if report.get("outcome") != "ok":
                wrong.append(report)
            s.run(neighbours[turn % len(neighbours)], connection, limits={"cpuMs": CPU_LIMIT_MS})
            turn += 1
        with lock:
            taken.extend(own)

    clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    if wrong or not taken:
        sys.exit(f"{len(wrong)} of {len(taken)} benign runs ended otherwise: {wrong[:1]}")
    return taken


def among_hostile_runs(binary, seconds):
    """p99 of benign runs alone and while every other run is hostile."""
    with running(binary) as s:
        alone = latencies(s, seconds, [BENIGN])
        beside = latencies(s, seconds, HOSTILE)
    return {"benign p99 alone, ms": round(percentile(alone, 99), 2), "benign p99 while every other run is hostile, ms": round(percentile(beside, 99), 2),
            "ratio": round(percentile(beside, 99) / percentile(alone, 99), 2), "benign runs taken": len(beside)}
