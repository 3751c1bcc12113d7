"""The origin that tests of fetch talk to: the checkout's own server when it can be loaded, else its files; and the names that lead there."""
import argparse
import contextlib
import functools
import http.server
import importlib
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import uuid

HOST = "web-platform.test"
START_SECONDS = 30
STOP_SECONDS = 10


def answer(query):
    """The reply to a DNS query: 127.0.0.1 for an A of HOST or a name below it, no record for anything else."""
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
    name = ".".join(labels)
    ours = name == HOST or name.endswith("." + HOST)
    records = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04\x7f\x00\x00\x01" if ours and kind == 1 else b""
    head = query[:2] + struct.pack("!HHHHH", 0x8580 if ours else 0x8583, 1, 1 if records else 0, 0, 0)
    return head + query[12 : at + 5] + records


class Names:
    """A DNS server on a free port of loopback."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                query, sender = self.socket.recvfrom(1500)
                self.socket.sendto(answer(query), sender)
            except (IndexError, struct.error):
                continue  # no query; whoever sent it gets no answer
            except OSError:
                return

    def close(self):
        self.socket.close()


class Origin:
    """The server of the checkout, a process of its own."""

    host = HOST

    def __init__(self, root):
        command = [sys.executable, __file__, str(root)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        said = self.process.stdout.readline().split(" ", 1)
        timer.cancel()
        if len(said) != 2:
            raise RuntimeError("the origin did not start")
        self.port, self.kind = int(said[0]), said[1].strip()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def checkouts_own(root):
    """The suite's server with its handlers in Python, on a free port, and what the handlers keep between requests."""
    sys.path.insert(0, str(pathlib.Path(root, "tools")))
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("localpaths")  # says where in the checkout the server and its libraries are
    from wptserve import server, stash

    with stash.StashServer(None, authkey=str(uuid.uuid4())):
        httpd = server.WebTestHttpd(host="127.0.0.1", port=0, doc_root=str(root), use_ssl=False)
        httpd.start()
        yield httpd.port


@contextlib.contextmanager
def files_only(root):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield httpd.server_address[1]


def serve(origin, kind):
    with origin as port:
        print(port, kind, flush=True)
        sys.stdin.read()  # until whoever started this closes its end or is gone


def main():
    parser = argparse.ArgumentParser(description="serves a checkout on loopback until standard input ends")
    parser.add_argument("root")
    root = parser.parse_args().root
    try:
        serve(checkouts_own(root), "the checkout's own server")
    except ImportError as error:
        serve(files_only(root), f"files only, handlers in Python are not run ({error})")


if __name__ == "__main__":
    main()
