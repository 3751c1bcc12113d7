"""The world of the egress benchmark, all on loopback: an origin, a name for it, and a server whose profile allows it."""
import contextlib
import json
import os
import pathlib
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading

import contenders
import server

HERE = pathlib.Path(__file__).resolve().parent
ADDRESS = "127.0.9.1"
NAME = "origin.example"
PROTOCOLS = {"plain": "HTTP/1.1", "one": "HTTP/1.1, TLS", "two": "HTTP/2, TLS"}

# Every run of the benchmark has this profile. What is measured must not meet a limit; the memory of a run is that of the built-in profile of its tier.
PROFILE = """name = "{name}"
tier = {tier}
description = "The egress benchmark."
durability = "batched"
[limits]
cpu_ms = 600000
wall_ms = 600000
memory_mb = 128
sub_requests = 10000
[egress]
mode = "{mode}"
"""
RULE = """[[egress.rule]]
host = "{host}"
ports = [{ports}]
schemes = ["http", "https"]
methods = ["GET", "POST"]
max_response_bytes = 1073741824
reason = "the benchmark's origin"
"""
# Room for all the runs at once, whatever the machine; [egress] as it comes, but for bodies of 100 MB and a machine that is slow.
SETTINGS = """[admission]
running_max = 1024
queue_max = 1024
queue_wait_ms = 60000
memory_mb = 1048576
[egress]
resolver = ["127.0.0.1:{dns}"]
allow_private_cidrs = ["127.0.9.0/24"]
extra_ca_file = "{pem}"
first_byte_ms = 60000
total_ms = 600000
request_bytes_max = 1073741824
[server]
policies = "{policies}"
"""


class Dns(socketserver.BaseRequestHandler):
    """Every name has the origin's IPv4 address, for a minute, and no other."""

    def handle(self):
        data, sock = self.request
        at = 12
        while data[at]:
            at += data[at] + 1
        question, kind = data[12:at + 5], struct.unpack(">H", data[at + 1:at + 3])[0]
        answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(ADDRESS) if kind == 1 else b""
        sock.sendto(data[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, 1 if answer else 0, 0, 0) + question + answer, self.client_address)


class Origin:
    """The origin, and the bare client that is the floor: one program."""

    def __init__(self, binary, folder):
        self.binary, self.pem = binary, f"{folder}/origin.pem"
        self.process = subprocess.Popen([binary, "origin", ADDRESS, NAME, self.pem], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = dict(zip(PROTOCOLS, self.line().split()))

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the origin ended with status {self.process.wait()}")
        return line

    def order(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def take(self):
        """What arrived since the last time: pairs of path and microseconds."""
        self.order("take")
        return json.loads(self.line())

    def url(self, protocol, path):
        return f"{'http' if protocol == 'plain' else 'https'}://{NAME}:{self.ports[protocol]}{path}"

    def bare(self, protocol, work, number):
        """Has the bare client work; what it prints."""
        command = [self.binary, "client", f"{ADDRESS}:{self.ports[protocol]}", NAME, self.pem, protocol, work, str(number)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def floor_binary(o):
    """Origin and floor: a package of its own, built in the target's bench folder."""
    target = contenders.target_folder() / "bench" / "egress"
    command = ["cargo", "build", "--release", "--locked", "--manifest-path", str(HERE / "Cargo.toml")]
    if not o.floor:
        subprocess.run(command, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=True)
        o.floor = str(target / "release/egress-floor")
    return o.floor


def policies(folder, ports):
    """The three profiles: all the same, but tier 0 reaches nothing."""
    folder.mkdir()
    rule = RULE.format(host=NAME, ports=", ".join(ports))
    for tier, name in enumerate(("untrusted", "validated", "production")):
        text = PROFILE.format(name=name, tier=tier, mode="allowlist" if tier else "deny")
        (folder / f"{name}.toml").write_text(text + (rule if tier else ""))


@contextlib.contextmanager
def running(o):
    """The origin and a server that reaches it."""
    binary, floor = contenders.cordon_binary(o), floor_binary(o)
    with tempfile.TemporaryDirectory() as folder, socketserver.ThreadingUDPServer(("127.0.0.1", 0), Dns) as dns:
        threading.Thread(target=dns.serve_forever, daemon=True).start()
        origin = Origin(floor, folder)
        try:
            policies(pathlib.Path(folder, "policies"), origin.ports.values())
            settings = SETTINGS.format(dns=dns.server_address[1], pem=origin.pem, policies=f"{folder}/policies")
            with server.running(binary, settings) as s:
                yield origin, s
        finally:
            origin.process.stdin.close()
            origin.process.wait(timeout=60)
            dns.shutdown()
