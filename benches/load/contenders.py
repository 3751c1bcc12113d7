"""The contenders of the load benchmark: how each is had, started, checked and driven."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import server

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent


def target_folder():
    """Cargo's target folder."""
    answer = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return pathlib.Path(json.loads(answer.stdout)["target_directory"])


def machine():
    """What the figures were taken on."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": cpu.group(1) if cpu else "unknown", "cores": os.cpu_count(), "kernel": os.uname().release}


def built(arguments, name):
    """Runs cargo and gives the path of the executable `name` that it made."""
    command = ["cargo", *arguments, "--message-format=json-render-diagnostics"]
    answer = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    messages = (json.loads(line) for line in answer.stdout.splitlines())
    paths = [m["executable"] for m in messages if m.get("reason") == "compiler-artifact" and m["target"]["name"] == name and m["executable"]]
    return paths[-1]


def cordon_binary(o):
    """The release server."""
    o.cordon = o.cordon or built(["build", "--release", "--bin", "cordon"], "cordon")
    return o.cordon


def workerd_binary(target, version):
    """workerd from npm, in the target folder; its package carries the binary."""
    folder = target / f"workerd-{version}"
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", f"workerd@{version}"], cwd=folder, check=True, stdout=sys.stderr)
    found = [path for path in folder.glob("node_modules/@cloudflare/workerd-*/bin/workerd")]
    return found[0] if found else folder / "node_modules/workerd/bin/workerd"


def post(url, body, content_type):
    """The text that answers a POST."""
    request = urllib.request.Request(url, data=body.encode(), headers={"Content-Type": content_type}, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


class OverHttp:
    """A contender that wrk drives."""

    def __init__(self, url, body, fresh_body, content_type, check):
        self.url, self.content_type = url, content_type
        self.bodies = {}
        for fresh, text in ((False, body), (True, fresh_body)):
            file = tempfile.NamedTemporaryFile("w", suffix=".body", delete=False)
            file.write(text)
            file.close()
            self.bodies[fresh] = file.name
            check(post(url, text.replace("@@@", "0"), content_type))

    def drive(self, seconds, connections, fresh):
        """One measurement after a short warm-up."""
        environment = {**os.environ, "BODY": self.bodies[fresh], "CTYPE": self.content_type}
        if fresh:
            environment["FRESH"] = str(time.time_ns())
        command = ["wrk", "-t1", f"-c{connections}", "--timeout", "10s", "-s", str(HERE / "post.lua"), self.url]
        subprocess.run([*command, "-d1s"], env={**environment, **({"FRESH": str(time.time_ns())} if fresh else {})}, check=True, stdout=subprocess.DEVNULL)
        answer = subprocess.run([*command, f"-d{seconds}s"], env=environment, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(re.search(r"RESULT (.*)", answer.stdout).group(1))


class Floor:
    """A bare isolate per run. One connection means one thread, eight mean one thread per core. It knows no cache: new code is no other case."""

    def __init__(self, binary):
        self.binary = binary

    def drive(self, seconds, connections, _fresh):
        threads = min(connections, os.cpu_count() or 1)
        environment = {**os.environ, "FLOOR_THREADS": str(threads), "FLOOR_SECONDS": str(seconds)}
        return json.loads(subprocess.run([self.binary], env=environment, check=True, stdout=subprocess.PIPE).stdout)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def must_equal(expected):
    def check(text):
        found = json.loads(text)
        found = found.get("result", found)
        if found.get("ok") != expected:
            sys.exit(f"a contender answers {text[:500]}")
    return check


@contextlib.contextmanager
def workerd(binary):
    """workerd with the loader of benches/peers."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / "peers/loader.js", folder)
        config = pathlib.Path(folder, "workerd.capnp")
        config.write_text((HERE / "peers/workerd.capnp").read_text().replace("PORT", str(port)))
        process = subprocess.Popen([str(binary), "serve", "--experimental", str(config)])
        try:
            server.until_it_listens(port, process)
            snippet = (HERE / "peers/snippet.js").read_text()
            yield OverHttp(f"http://127.0.0.1:{port}/", snippet, f"// @@@\n{snippet}", "text/plain", must_equal(2))
        finally:
            process.terminate()
            process.wait()


@contextlib.contextmanager
def cordon(binary):
    """cordon as it comes, in a data folder of its own."""
    with server.running(binary) as s:
        body = lambda extra: json.dumps({"code": f"{extra}export default () => ({{ ok: 1 + 1 }});"})
        contender = OverHttp(s.public + "/v1/runs", body(""), body("// @@@\n"), "application/json", must_equal(2))
        before = s.count("cordon_runs_total", outcome="ok")
        yield contender
        bad = s.count("cordon_runs_total") - s.count("cordon_runs_total", outcome="ok")
        print(f"cordon: {s.count('cordon_runs_total', outcome='ok') - before:.0f} runs ended ok, {bad:.0f} otherwise", file=sys.stderr)


@contextlib.contextmanager
def running(parts, o, target, version):
    """The contenders of `parts`, started and checked, by name."""
    with contextlib.ExitStack() as stack:
        found = {}
        if "floor" in parts:
            found["floor"] = Floor(o.floor or built(["bench", "--no-run", "--bench", "floor"], "floor"))
        if "workerd" in parts:
            found["workerd"] = stack.enter_context(workerd(workerd_binary(target, version)))
        if "cordon" in parts:
            found["cordon"] = stack.enter_context(cordon(cordon_binary(o)))
        yield found
