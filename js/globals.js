// The global object as a guest finds it. Runs once, in the zygote, before any guest code; what stays in closures here is all
// that is left of the host afterwards.

(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, ReflectDeleteProperty } = primordials;
const { Math } = globalThis;
const load = (name) => core.loadExtScript(name);

const guard = load("ext:cordon/guard.js");
const memory = load("ext:cordon/memory.js");
const clock = load("ext:cordon/clock.js");
const crypto = load("ext:cordon/crypto.js");
const console = load("ext:cordon/console.js");
const run = load("ext:cordon/run.js");
const abort = load("ext:deno_web/03_abort_signal.js");
const base64 = load("ext:deno_web/05_base64.js");
const encoding = load("ext:deno_web/08_text_encoding.js");
const event = load("ext:deno_web/02_event.js");
const exception = load("ext:deno_web/01_dom_exception.js");
const port = load("ext:deno_web/13_message_port.js");
const timers = load("ext:deno_web/02_timers.js");
const url = load("ext:deno_web/00_url.js");

// Gone: what shares memory, makes code, or belongs to the host.
const REMOVED = ["Deno", "__bootstrap", "WebAssembly", "SharedArrayBuffer", "Atomics", "ShadowRealm"];

const hidden = (value) => ({ __proto__: null, value, writable: true, enumerable: false, configurable: true });
const shown = (value) => ({ __proto__: null, value, writable: true, enumerable: true, configurable: true });

// A timer that is given text would turn it into code: refused like eval, and visible like it.
function timer(name, native) {
  return {
    [name](callback, delay = undefined, ...args) {
      if (typeof callback !== "function") guard.refuseCodegen(name);
      return native(callback, delay, ...new primordials.SafeArrayIterator(args));
    },
  }[name];
}

const CLASSES = {
  AbortController: abort.AbortController,
  AbortSignal: abort.AbortSignal,
  Crypto: crypto.Crypto,
  CustomEvent: event.CustomEvent,
  DOMException: exception.DOMException,
  Event: event.Event,
  EventTarget: event.EventTarget,
  Performance: clock.Performance,
  QuotaExceededError: exception.QuotaExceededError,
  TextDecoder: encoding.TextDecoder,
  TextEncoder: encoding.TextEncoder,
  URL: url.URL,
  URLSearchParams: url.URLSearchParams,
  console: console.makeConsole(),
};
const FUNCTIONS = {
  atob: base64.atob,
  btoa: base64.btoa,
  clearInterval: timers.clearInterval,
  clearTimeout: timers.clearTimeout,
  crypto: crypto.crypto,
  performance: clock.performance,
  queueMicrotask: globalThis.queueMicrotask,
  self: globalThis,
  setInterval: timer("setInterval", timers.setInterval),
  setTimeout: timer("setTimeout", timers.setTimeout),
  structuredClone: port.structuredClone,
};

const install = (table, shape) => {
  const names = primordials.ObjectKeys(table);
  for (let i = 0; i < names.length; i++) ObjectDefineProperty(globalThis, names[i], shape(table[names[i]]));
};

event.setEventTargetData(globalThis);
// The global object dispatches no events here; an error thrown in a listener asks it whether somebody handled it.
event.saveGlobalThisReference({ __proto__: null, dispatchEvent: () => true });
core.setUnhandledPromiseRejectionHandler((_promise, reason) => run.uncaught(reason));
core.setReportExceptionCallback((error) => run.uncaught(error));
// What nobody handled ends the run, as in the two cases above; the runtime's own way would end its event loop without a word.
core.reportUnhandledException = (error) => { run.uncaught(error); };
install(CLASSES, hidden);
install(FUNCTIONS, shown);
guard.install(globalThis);
memory.install(globalThis);
clock.coarsenTemporal(globalThis.Temporal);
ObjectDefineProperty(Math, "random", hidden(crypto.random));
for (let i = 0; i < REMOVED.length; i++) ReflectDeleteProperty(globalThis, REMOVED[i]);

// What differs between siblings is set when the run arrives, in the cell.
function arm() {
  crypto.seed();
  clock.start();
}

return { arm, invoke: run.invoke };
})();
