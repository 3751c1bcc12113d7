"""Which tests a checkout has, and each of them as the modules of one run."""
import dataclasses
import fnmatch
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent

# The areas, as folders of a checkout.
AREAS = (
    "url",
    "encoding",
    "fetch/api",
    "streams",
    "compression",
    "FileAPI",
    "WebCryptoAPI",
    "urlpattern",
    "html/webappapis/structured-clone",
    "html/webappapis/timers",
    "html/webappapis/atob",
)
# Where fetch itself is under test, so that nothing stands in for the origin.
FETCH_AREA = "fetch/api"
# Scopes of `META: global=` that the isolate is like: a worker without windows, frames and sockets.
SCOPES = {"any", "worker", "dedicatedworker", "dedicatedworker-module", "shadowrealm", "shadowrealm-in-dedicatedworker", "jsshell"}
DEFAULT_SCOPES = "window,dedicatedworker"
# What a test has before it is called lost: this many times what a normal one has.
TIMEOUT_TIMES = {"normal": 1, "long": 6}
META = re.compile(r"^//\s*META:\s*([\w-]+)=(.*?)\s*$")


class Unrunnable(Exception):
    """Why a test cannot be run; it is listed with this reason."""


@dataclasses.dataclass(frozen=True)
class Meta:
    """What the `META:` lines of a test say."""

    scripts: tuple = ()
    scopes: tuple = ()
    variants: tuple = ("",)
    timeout: str = "normal"
    title: str = ""

    def wants_scope(self):
        return any(scope in SCOPES for scope in self.scopes)


def read_meta(source):
    """Reads the comment lines at the front of a test; the first line of code ends them."""
    found = {"script": [], "variant": [], "timeout": ["normal"], "title": [""], "global": [DEFAULT_SCOPES]}
    for line in source.splitlines():
        if match := META.match(line):
            found.setdefault(match[1], []).append(match[2])
        elif line.strip() and not line.lstrip().startswith("//"):
            break
    scopes = tuple(scope.strip() for scope in found["global"][-1].split(","))
    timeout = "long" if found["timeout"][-1] == "long" else "normal"
    return Meta(tuple(found["script"]), scopes, tuple(found["variant"]) or ("",), timeout, found["title"][-1])


def substitute(source, origin):
    """What the suite's own server does to a file whose name has `.sub.`: names and ports of the origin take the place of `{{…}}`."""
    ports = {"http": [origin.port, origin.port]}

    def value(match):
        inner = match[1].strip()
        if inner == "host":
            return origin.host
        if found := re.fullmatch(r"(?:domains|hosts\[\w*\])\[([\w.-]*)\]", inner):
            return f"{found[1]}.{origin.host}" if found[1] else origin.host
        if found := re.fullmatch(r"ports\[([\w-]+)\]\[(\d+)\]", inner):
            return str((ports.get(found[1]) or [0])[0])
        return match[0]

    filled = re.sub(r"\{\{([^{}]+)\}\}", value, source)
    # Old versions of these files spell a constant as eval of its text, which the isolate refuses.
    return re.sub(r"\beval\('(\d+|\\'[^'\\]*\\')'\)", lambda match: match[1].replace("\\'", "'"), filled)


def implied_globals(source):
    """Names that scripts assign to and never declare: outside strict mode each becomes a property of the global object. A guess that is wrong
    costs nothing, as a declaration of the name wins over the property."""
    assigned = re.findall(r"^[ \t]*(?:for\s*\(\s*)?([A-Za-z_$][\w$]*)[ \t]*=(?![=>])", source, re.MULTILINE)
    declared = re.findall(r"\b(?:var|let|const|function\*?|class)\s+([A-Za-z_$][\w$]*)", source)
    return sorted(set(assigned) - set(declared))


@dataclasses.dataclass(frozen=True)
class Test:
    """One test with one of its variants."""

    area: str
    path: str
    variant: str
    meta: Meta

    @property
    def id(self):
        return self.path + self.variant

    def milliseconds(self, normal_seconds):
        return int(TIMEOUT_TIMES[self.meta.timeout] * normal_seconds * 1000)


class Checkout:
    """A folder that is laid out like web-platform-tests."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()

    def tests(self, areas=AREAS, patterns=()):
        """The tests of `areas` to run, and what is not run as (area, path, reason)."""
        run, skipped = [], []
        for area in areas:
            if not (self.root / area).is_dir():
                skipped.append((area, area, "the checkout has no such folder"))
            for file in sorted((self.root / area).rglob("*.any.js")):
                path = file.relative_to(self.root).as_posix()
                if patterns and not any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns):
                    skipped.append((area, path, "not asked for"))
                    continue
                meta = read_meta(file.read_text("utf-8", "replace"))
                if not meta.wants_scope():
                    skipped.append((area, path, f"for {','.join(meta.scopes)} only"))
                elif ".h2." in file.name:
                    skipped.append((area, path, "needs an HTTP/2 origin, which this harness does not start"))
                else:
                    run.extend(Test(area, path, variant, meta) for variant in meta.variants)
        return run, skipped

    def file(self, path):
        """A file by the path that a URL has; None when it is none of the checkout."""
        file = (self.root / path.lstrip("/")).resolve()
        return file if file.is_relative_to(self.root) and file.is_file() else None

    def script(self, test, name, origin):
        """The text of a script that `META: script=` names."""
        base = "" if name.startswith("/") else f"{test.path.rpartition('/')[0]}/"
        file = self.file(base + name.split("?")[0])
        if file is None:
            raise Unrunnable(f"the checkout has no {name}")
        text = file.read_text("utf-8", "replace")
        return substitute(text, origin) if ".sub." in file.name else text

    def modules(self, test, harness, origin, files, milliseconds):
        """The modules of the run: the harness as it is, then the scripts and the test in one scope, as a page has them."""
        text = (self.root / test.path).read_text("utf-8", "replace")
        if ".sub." in test.path:
            text = substitute(text, origin)
        included = []
        for name in test.meta.scripts:
            if name in ("/resources/testharness.js", "/resources/testharnessreport.js"):
                continue
            included.append(self.script(test, name, origin))
        scope = "\n;\n".join([*included, text])
        job = {
            "href": f"http://{origin.host}:{origin.port}/{test.path.replace('.any.js', '.any.worker.html')}{test.variant}",
            "title": test.meta.title,
            "milliseconds": milliseconds,
            "serves": test.area != FETCH_AREA,
            "files": files,
            "globals": implied_globals(scope),
        }
        # Module code is strict, and its declarations are its own; a function is the scope that all scripts of a page share.
        body = f"try {{ (function () {{\n{scope}\n}}).call(globalThis); }} catch (error) {{ reportError(error); }}\n"
        return {
            "main.js": (HERE / "main.js").read_text(),
            "prelude.js": (HERE / "prelude.js").read_text(),
            "report.js": (HERE / "report.js").read_text(),
            "job.js": f"export default {json.dumps(job)};\n",
            "testharness.js": harness,
            "test.js": body,
        }
