#!/usr/bin/env python3
"""Replays the README on this machine.

    tests/readme.py run [--scrape FILE]   does what the `console` blocks show and compares what comes out
    tests/readme.py tests                 prints the test command
    tests/readme.py check                 tries the comparison itself on small examples

A `console` block is a command after `$ ` (over several lines while a quote is open) and what it prints. In the expected text `…` stands
for anything; spaces and line breaks do not count, so that the README can lay JSON out. A command that ends with `serve` starts the
server: it stays until the end, and is then told to stop and must exit with 0.
"""
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A cold release build is part of the first command.
START_SECONDS = 40 * 60
COMMAND_SECONDS = 60


def blocks(text, kind):
    """The fenced blocks whose info string is `kind`."""
    return re.findall(rf"^```{re.escape(kind)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def is_open(command):
    """Whether a quote of a command is not closed yet."""
    try:
        shlex.split(command)
        return command.endswith("\\")
    except ValueError:
        return True


def steps(block):
    """The commands of a block, each with the text expected of it."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif found and not found[-1][1] and is_open(found[-1][0]):
            found[-1][0] += "\n" + line
        elif found:
            found[-1][1] += line + "\n"
        else:
            raise ValueError(f"a block starts with output: {line}")
    return [tuple(step) for step in found]


def matches(expected, found):
    """Whether `found` is what the README shows."""
    bare = lambda text: re.sub(r"\s+", "", text)
    pattern = ".*?".join(re.escape(part) for part in bare(expected).split("…"))
    return re.fullmatch(pattern, bare(found), re.DOTALL) is not None


def fail(command, expected, found):
    sys.exit(f"\n$ {command}\n--- the README shows\n{expected}\n--- this machine says\n{found}")


class Server:
    """The server that the README starts."""

    def __init__(self, command, expected, folder):
        environment = {**os.environ, "CORDON_DATA": str(pathlib.Path(folder, "data"))}
        self.process = subprocess.Popen(shlex.split(command), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        lines, wanted = [], len(expected.splitlines())
        timer = threading.Timer(START_SECONDS, self.process.kill)
        timer.start()
        while len(lines) < wanted and (line := self.process.stdout.readline()):
            lines.append(line)
        timer.cancel()
        self.said = "".join(lines)
        threading.Thread(target=lambda: all(self.process.stdout), daemon=True).start()
        if not matches(expected, self.said):
            self.kill()
            fail(command, expected, self.said)

    def operator(self):
        return re.search(r"listening operator (\S+)", self.said).group(1)

    def stop(self):
        """Tells it to stop, as an operator would, and gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=COMMAND_SECONDS)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def replay(text, scrape):
    server = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            for command, expected in (step for block in blocks(text, "console") for step in steps(block)):
                print(f"$ {command}", flush=True)
                started = time.monotonic()
                if command.split()[-1] == "serve":
                    server = Server(command, expected, folder)
                    print(server.said, end="")
                else:
                    done = subprocess.run(["bash", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=COMMAND_SECONDS)
                    print(done.stdout.rstrip()[:2000])
                    if not matches(expected, done.stdout):
                        fail(command, expected, done.stdout)
                print(f"  as shown, {time.monotonic() - started:.1f} s", flush=True)
            if server is None:
                sys.exit("the README starts no server")
            if scrape:
                with urllib.request.urlopen(server.operator() + "/metrics", timeout=10) as answer:
                    pathlib.Path(scrape).write_bytes(answer.read())
            status = server.stop()
            if status != 0:
                sys.exit(f"the server ended with status {status} after SIGTERM")
        finally:
            if server:
                server.kill()


def check():
    """The comparison on small examples, both ways."""
    assert steps("$ a 'b\n  c' d\nout\nmore\n$ e\n") == [("a 'b\n  c' d", "out\nmore\n"), ("e", "")]
    assert blocks("```console\n$ a\n```\n```sh test\nb\n```\n", "sh test") == ["b\n"]
    assert matches('{ "a": …,\n "b": 1 }', '{"a":[1,2],"b":1}')
    assert not matches('{ "a": …, "b": 1 }', '{"a":[1,2],"b":2}')
    assert not matches("a", "a b") and not matches("a …", "b a")
    print("the comparison tells right from wrong")


def main():
    text = (ROOT / "README.md").read_text()
    match sys.argv[1:]:
        case ["run"]:
            replay(text, None)
        case ["run", "--scrape", file]:
            replay(text, file)
        case ["tests"]:
            (block,) = blocks(text, "sh test")
            print(block.strip())
        case ["check"]:
            check()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
