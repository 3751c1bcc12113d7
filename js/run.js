// One run: finds the entrypoint, calls it, reduces what comes back to JSON text. Whatever touches guest objects here runs as
// ordinary JavaScript inside the limits of the run, so a getter, a proxy or a toJSON costs the guest, never the host.

(function () {
const { core, primordials } = __bootstrap;
const {
  op_cordon_fail,
  op_cordon_guest_starts,
  op_cordon_output_bytes_max,
  op_cordon_result,
  op_cordon_too_long,
} = core.ops;
const {
  ErrorPrototype,
  JSONParse,
  JSONStringify,
  ObjectDefineProperty,
  ObjectFreeze,
  ObjectPrototypeIsPrototypeOf,
  PromisePrototypeThen,
  PromiseResolve,
  ReflectApply,
  ReflectHas,
  String,
  StringPrototypeSlice,
  TypeError,
} = primordials;
const { inspect, log } = core.loadExtScript("ext:cordon/console.js");
const { isRefused } = core.loadExtScript("ext:cordon/guard.js");
const { innerOf, METHODS } = core.loadExtScript("ext:cordon/handler.js");
const { requestOf, respond } = core.loadExtScript("ext:cordon/serve.js");

// Longest name, message and stack of an error that the host takes, in UTF-16 units.
const NAME_UNITS_MAX = 256;
const MESSAGE_UNITS_MAX = 8192;
const STACK_UNITS_MAX = 16384;
const WARN = 2;
const ERROR = 3;

function cut(text, most) {
  return text.length > most ? StringPrototypeSlice(text, 0, most) + `\u2026 [cut: ${text.length} characters]` : text;
}

// Reads one property of a guest's error. The property may be a getter that throws; that is no error of the host.
function read(error, key, most) {
  try {
    const value = error[key];
    return value === undefined || value === null ? "" : cut(typeof value === "string" ? value : String(value), most);
  } catch {
    return "";
  }
}

function isError(value) {
  try {
    return value !== null && typeof value === "object" && (core.isNativeError(value) || ObjectPrototypeIsPrototypeOf(ErrorPrototype, value));
  } catch {
    return false;
  }
}

function describe(value) {
  if (isError(value)) {
    return {
      name: read(value, "name", NAME_UNITS_MAX) || "Error",
      message: read(value, "message", MESSAGE_UNITS_MAX),
      stack: read(value, "stack", STACK_UNITS_MAX),
    };
  }
  let message = "a value that cannot be shown";
  try {
    message = cut(typeof value === "string" ? value : inspect(value), MESSAGE_UNITS_MAX);
  } catch {
    // the value's own code threw while it was formatted
  }
  return { name: "NonError", message, stack: "" };
}

function fail(value) {
  const { name, message, stack } = describe(value);
  op_cordon_fail(name, message, stack, isRefused(value));
}

// An error that nothing caught: a rejection nobody handles, a throw in a timer or a microtask.
function uncaught(value) {
  const { name, message } = describe(value);
  log(ERROR, `Uncaught ${name}: ${message}`);
  fail(value);
  return true;
}

function makeContext(run, pending) {
  const { waitUntil } = {
    waitUntil(promise) {
      const settled = PromisePrototypeThen(PromiseResolve(promise), () => {}, (reason) => {
        const { name, message } = describe(reason);
        log(WARN, `ctx.waitUntil: ${name}: ${message}`);
      });
      ObjectDefineProperty(pending, pending.length, { __proto__: null, value: settled, writable: true, enumerable: true, configurable: true });
    },
  };
  return ObjectFreeze({ waitUntil, run });
}

function makeEnv(pairs) {
  const env = {};
  for (let i = 0; i < pairs.length; i++) {
    ObjectDefineProperty(env, pairs[i][0], { __proto__: null, value: pairs[i][1], writable: false, enumerable: true, configurable: false });
  }
  return ObjectFreeze(env);
}

// What the run starts with: an export, or a method of the handler that the default export is.
function entry(namespace, name) {
  if (ReflectHas(namespace, name)) return { value: namespace[name], method: undefined };
  const handler = ReflectHas(namespace, "default") ? namespace.default : undefined;
  if (handler !== null && typeof handler === "object" && METHODS[name] !== undefined && typeof handler[name] === "function") {
    return { value: handler, method: name };
  }
  throw new TypeError(
    name === "default"
      ? "the main module has no default export: export a value or a function, as in `export default (input) => input`"
      : `the main module has no export \`${name}\`, which \`entrypoint\` names`,
  );
}

function start({ value, method }, input, env, ctx) {
  if (typeof value === "function") return ReflectApply(value, undefined, [input, env, ctx]);
  if (value === null || typeof value !== "object") return value;
  const name = method ?? "fetch";
  const called = value[name];
  return typeof called === "function" ? METHODS[name](value, called, input, env, ctx) : value;
}

// JSON text of a result, by the rules of JSON.stringify; what has no JSON form at the top is an error that says so.
function reduce(value) {
  if (value === undefined) return "null";
  if (typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`the result is a ${typeof value}, which has no JSON form: return data`);
  }
  const text = JSONStringify(value);
  return text === undefined ? "null" : text;
}

// What answers HTTP requests: the default export, or its `fetch`.
function fetchOf(namespace) {
  const handler = ReflectHas(namespace, "default") ? namespace.default : undefined;
  const called = handler !== null && typeof handler === "object" ? handler.fetch : handler;
  if (typeof called === "function") return { handler, called };
  throw new TypeError("the main module answers no requests: it needs `export default { fetch(request, env, ctx) { return new Response() } }`");
}

// The run answers the HTTP request that `data` tells of; its result is told by who passes the answer on.
async function serve(namespace, data, env, ctx) {
  const { handler, called } = fetchOf(namespace);
  const response = await ReflectApply(called, handler, [requestOf(data), env, ctx]);
  const sent = respond(innerOf(response), data.method);
  if (sent !== null) await sent;
  return "null";
}

async function invoke(main, entrypoint, input, vars, run, served) {
  try {
    const pending = [];
    const ctx = makeContext(run, pending);
    const env = makeEnv(JSONParse(vars));
    const data = JSONParse(input);
    op_cordon_guest_starts();
    const namespace = await import(main);
    const text = served === "served"
      ? await serve(namespace, data, env, ctx)
      : reduce(await start(entry(namespace, entrypoint), data, env, ctx));
    for (let i = 0; i < pending.length; i++) await pending[i];
    // A text has at least one byte per UTF-16 unit, so what is longer than the cap is not copied to find out.
    if (text.length > op_cordon_output_bytes_max()) op_cordon_too_long(text.length);
    else op_cordon_result(text);
  } catch (error) {
    fail(error);
  }
}

return { invoke, uncaught };
})();
