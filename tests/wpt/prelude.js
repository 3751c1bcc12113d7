// What a test finds besides testharness.js: a worker's scope and an address, as the suite's own server and a browser would give it. Nothing that a test
// is about is replaced, but for what follows from the address: relative URLs are resolved, and files of the checkout can be fetched while fetch
// itself is not under test.
import job from "./job.js";

// Paths of the checkout that were fetched and not sent along: the harness sends them along the next time.
export const wanted = new Set();

const { fetch: nativeFetch, Request: NativeRequest } = globalThis;
const location = new URL(job.href);
const absolute = (input) => typeof input === "string" ? new URL(input, location.href).href : input;

Object.assign(globalThis, {
  GLOBAL: { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false },
  META_TITLE: job.title,
  location,
});

// Assigning to a name that nobody declared makes a global of it, but in strict code, which modules are.
for (const name of job.globals) if (!(name in globalThis)) globalThis[name] = undefined;

// As in a page: an error that nobody caught is the harness's to judge and ends nothing.
addEventListener("error", (event) => event.preventDefault());
addEventListener("unhandledrejection", (event) => event.preventDefault());

const TYPES = { json: "application/json", html: "text/html", js: "text/javascript", txt: "text/plain" };

function file(path) {
  const found = Object.hasOwn(job.files, path) ? job.files[path] : undefined;
  if (found === undefined) wanted.add(path);
  if (found === undefined || found === null) return new Response("", { status: 404 });
  const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  return new Response(Uint8Array.from(atob(found), (character) => character.charCodeAt(0)), { headers: { "content-type": type } });
}

globalThis.Request = new Proxy(NativeRequest, {
  construct: (target, [input, ...rest], newTarget) => Reflect.construct(target, [absolute(input), ...rest], newTarget),
});
globalThis.fetch = {
  async fetch(input, init = undefined) {
    const url = absolute(input);
    if (job.serves && typeof url === "string" && url.startsWith(`${location.origin}/`)) return file(new URL(url).pathname);
    return nativeFetch(url, init);
  },
}.fetch;
