// The global object as a guest finds it. Runs once, in the zygote, before any guest code; what stays in closures here is all
// that is left of the host afterwards.

(function () {
const { core, primordials } = __bootstrap;
const { MathAbs, MathMax, ObjectDefineProperty, ReflectDeleteProperty } = primordials;
const { Math } = globalThis;
const load = (name) => core.loadExtScript(name);

const guard = load("ext:cordon/guard.js");
const memory = load("ext:cordon/memory.js");
const clock = load("ext:cordon/clock.js");
const crypto = load("ext:cordon/crypto.js");
const console = load("ext:cordon/console.js");
const errors = load("ext:cordon/errors.js");
const request = load("ext:cordon/fetch.js");
const platform = load("ext:cordon/platform.js");
const run = load("ext:cordon/run.js");
const wire = load("ext:cordon/wire.js");
const abort = load("ext:deno_web/03_abort_signal.js");
const base64 = load("ext:deno_web/05_base64.js");
const compression = load("ext:deno_web/14_compression.js");
const encoding = load("ext:deno_web/08_text_encoding.js");
const event = load("ext:deno_web/02_event.js");
const exception = load("ext:deno_web/01_dom_exception.js");
const file = load("ext:deno_web/09_file.js");
const form = load("ext:deno_fetch/21_formdata.js");
const headers = load("ext:deno_fetch/20_headers.js");
const pattern = load("ext:deno_web/01_urlpattern.js");
const port = load("ext:deno_web/13_message_port.js");
const requests = load("ext:deno_fetch/23_request.js");
const responses = load("ext:deno_fetch/23_response.js");
const streams = load("ext:deno_web/06_streams.js");
const timers = load("ext:deno_web/02_timers.js");
const url = load("ext:deno_web/00_url.js");

// Gone: what shares memory, makes code, or belongs to the host.
const REMOVED = ["Deno", "__bootstrap", "WebAssembly", "SharedArrayBuffer", "Atomics", "ShadowRealm"];

const hidden = (value) => ({ __proto__: null, value, writable: true, enumerable: false, configurable: true });
const shown = (value) => ({ __proto__: null, value, writable: true, enumerable: true, configurable: true });

const CLASSES = {
  AbortController: abort.AbortController,
  AbortSignal: abort.AbortSignal,
  Blob: file.Blob,
  ByteLengthQueuingStrategy: streams.ByteLengthQueuingStrategy,
  CompressionStream: compression.CompressionStream,
  CountQueuingStrategy: streams.CountQueuingStrategy,
  Crypto: crypto.Crypto,
  CryptoKey: crypto.CryptoKey,
  CustomEvent: event.CustomEvent,
  DecompressionStream: compression.DecompressionStream,
  DOMException: exception.DOMException,
  ErrorEvent: event.ErrorEvent,
  Event: event.Event,
  EventTarget: event.EventTarget,
  File: file.File,
  FormData: form.FormData,
  Headers: headers.Headers,
  MessageChannel: port.MessageChannel,
  MessageEvent: event.MessageEvent,
  MessagePort: port.MessagePort,
  Navigator: errors.Navigator,
  Performance: clock.Performance,
  PromiseRejectionEvent: event.PromiseRejectionEvent,
  QuotaExceededError: exception.QuotaExceededError,
  ReadableByteStreamController: streams.ReadableByteStreamController,
  ReadableStream: streams.ReadableStream,
  ReadableStreamBYOBReader: streams.ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest: streams.ReadableStreamBYOBRequest,
  ReadableStreamDefaultController: streams.ReadableStreamDefaultController,
  ReadableStreamDefaultReader: streams.ReadableStreamDefaultReader,
  Request: requests.Request,
  Response: responses.Response,
  SubtleCrypto: crypto.SubtleCrypto,
  TextDecoder: encoding.TextDecoder,
  TextDecoderStream: encoding.TextDecoderStream,
  TextEncoder: encoding.TextEncoder,
  TextEncoderStream: encoding.TextEncoderStream,
  TransformStream: streams.TransformStream,
  TransformStreamDefaultController: streams.TransformStreamDefaultController,
  URL: url.URL,
  URLPattern: pattern.URLPattern,
  URLSearchParams: url.URLSearchParams,
  WritableStream: streams.WritableStream,
  WritableStreamDefaultController: streams.WritableStreamDefaultController,
  WritableStreamDefaultWriter: streams.WritableStreamDefaultWriter,
  console: console.makeConsole(),
};
const FUNCTIONS = {
  atob: base64.atob,
  btoa: base64.btoa,
  clearInterval: timers.clearInterval,
  clearTimeout: timers.clearTimeout,
  crypto: crypto.crypto,
  fetch: request.fetch,
  navigator: errors.navigator,
  performance: clock.performance,
  queueMicrotask: globalThis.queueMicrotask,
  reportError: event.reportError,
  self: globalThis,
  setInterval: platform.setInterval,
  setTimeout: platform.setTimeout,
  structuredClone: platform.structuredClone,
};

const install = (table, shape) => {
  const names = primordials.ObjectKeys(table);
  for (let i = 0; i < names.length; i++) ObjectDefineProperty(globalThis, names[i], shape(table[names[i]]));
};

errors.install(globalThis, run.uncaught);
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

// How many milliseconds until the next timer is due; -1 when there is none. No timer is due at -1, so asking runs none.
const { __processTimers } = core;
const { op_timer_now } = core.ops;
function nextTimer() {
  const due = MathAbs(__processTimers(-1));
  return due === 0 ? -1 : MathMax(0, due - op_timer_now());
}

return { arm, deliver: wire.deliver, invoke: run.invoke, nextTimer };
})();
