"""A `cordon serve` of the harness's own, or one that runs already, and runs on it."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

START_SECONDS = 120
STOP_SECONDS = 30
# More than the wall time of the profile below and a place in the queue.
ANSWER_SECONDS = 300
PROFILE = "conformance"

CONFIG = """
[server]
body_bytes_max = 67108864
[pool]
validated = 4
[egress]
resolver = ["127.0.0.1:{names}"]
allow_private_cidrs = ["127.0.0.0/8"]
"""
# Roomy: what is measured is conformance, not the limits.
LIMITS = """
[limits]
cpu_ms = 60000
wall_ms = 90000
memory_mb = 512
sub_requests = 1000
output_bytes = 8388608
log_bytes = 65536
log_lines = 200
source_bytes = 16777216
modules = 64
input_bytes = 1048576
"""
RULE = """
[[egress.rule]]
host = "{host}"
schemes = ["http"]
ports = [{port}]
methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
max_requests = 1000
reason = "origin of the conformance tests"
"""


def profiles(origin):
    """The text of the profiles, by file name."""
    name = lambda name, tier: f'name = "{name}"\ntier = {tier}\ndescription = "Conformance tests."\ndurability = "batched"\n'
    egress = '[egress]\nmode = "deny"\n'
    if origin is not None:
        egress = '[egress]\nmode = "allowlist"\n' + "".join(RULE.format(host=host, port=origin.port) for host in (origin.host, f"*.{origin.host}"))
    return {"untrusted.toml": name("untrusted", 0) + LIMITS, f"{PROFILE}.toml": name(PROFILE, 1) + LIMITS + egress}


class House:
    """A server to send runs to."""

    def __init__(self, binary=None, url=None, origin=None, names=None, built_in=False):
        self.url, self.process, self.folder = url, None, None
        # A server that is not ours has no profile of ours.
        self.profile = {} if url or built_in else {"profile": PROFILE}
        if url is None:
            self.start(binary, origin, names, built_in)

    def start(self, binary, origin, names, built_in):
        self.folder = tempfile.TemporaryDirectory(prefix="cordon-conformance-")
        folder = pathlib.Path(self.folder.name)
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--data", folder / "data"]
        if not built_in:
            (folder / "policies").mkdir()
            (folder / "cordon.toml").write_text(CONFIG.format(names=names.port if names else 53))
            for name, text in profiles(origin).items():
                (folder / "policies" / name).write_text(text)
            command += ["--config", folder / "cordon.toml", "--policies", folder / "policies"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CORDON_")}
        with open(folder / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(command, env={**environment, "CORDON_LOG": "warn"}, stdout=subprocess.PIPE, stderr=stderr, text=True)
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        for line in self.process.stdout:
            if match := re.match(r"listening public (\S+)", line):
                self.url = match[1]
            if line.startswith("listening operator"):
                break
        timer.cancel()
        if self.url is None:
            said = (folder / "stderr").read_text(errors="replace")
            self.close()
            raise RuntimeError(f"the server did not start: {said}")
        threading.Thread(target=lambda: all(self.process.stdout), daemon=True).start()

    def run(self, modules, limits=None, given=None):
        """The report of a run on the input `given`, or what was said when it was refused, as (report, refusal)."""
        body = json.dumps({"modules": modules, "mainModule": "main.js", "input": given, "limits": limits or {}, **self.profile}).encode()
        request = urllib.request.Request(self.url + "/v1/runs", body, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as reply:
                return json.load(reply), None
        except urllib.error.HTTPError as refused:
            return None, refused.read().decode("utf-8", "replace")

    def close(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.folder is not None:
            self.folder.cleanup()
