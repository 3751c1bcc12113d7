// The console: formatted by the Web API crate, bounded before it is formatted, handed to the host line by line.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_log, op_cordon_log_drop } = core.ops;
const {
  ObjectAssign,
  ObjectCreate,
  ObjectDefineProperty,
  ReflectApply,
  SafeArrayIterator,
  SafeMap,
  StringPrototypeEndsWith,
  StringPrototypeSlice,
  SymbolToStringTag,
  uncurryThis,
} = primordials;
const { Console, inspectArgs, setNoColorFns } = core.loadExtScript("ext:deno_web/01_console.js");

const { performance } = core.loadExtScript("ext:deno_web/15_performance.js");
// Taken now: the guest may replace the method later.
const nowOf = uncurryThis(performance.now);
const now = () => nowOf(performance);

setNoColorFns(() => true, () => true);

// Longest text of one argument and most arguments that are formatted. The host cuts the whole line at the same length.
const TEXT_UNITS_MAX = 16384;
const ARGUMENTS_MAX = 64;
const TRACE = 4;

// False once the log budget is used up: then a call costs nothing but the count of what is dropped.
let open = true;

function print(text, level) {
  if (level === TRACE && text === "\n") return; // the script ends a trace by a separate line break
  const line = StringPrototypeEndsWith(text, "\n") ? StringPrototypeSlice(text, 0, -1) : text;
  open = op_cordon_log(level, line);
}

function bounded(args) {
  const most = args.length > ARGUMENTS_MAX ? ARGUMENTS_MAX : args.length;
  const result = [];
  for (let i = 0; i < most; i++) {
    const arg = args[i];
    const long = typeof arg === "string" && arg.length > TEXT_UNITS_MAX;
    const value = long ? StringPrototypeSlice(arg, 0, TEXT_UNITS_MAX) + `\u2026 [cut: ${arg.length} characters]` : arg;
    ObjectDefineProperty(result, i, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  }
  if (most < args.length) {
    const value = `\u2026 [${args.length - most} more arguments]`;
    ObjectDefineProperty(result, most, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  }
  return result;
}

const PRINTING = ["log", "debug", "info", "warn", "error", "dir", "dirxml", "assert", "table", "count", "trace", "group"];
const SILENT = ["countReset", "groupEnd"];

// Timers on the coarse clock that everything else reads; the formatter's own would tell microseconds.
function addTimers(console, define) {
  const started = new SafeMap();
  const label = (value) => value === undefined ? "default" : `${value}`;
  const elapsed = (name, rest) => {
    const from = started.get(name);
    if (from === undefined) return ReflectApply(console.warn, console, [`Timer '${name}' does not exist`]);
    ReflectApply(console.log, console, [`${name}: ${now() - from}ms`, ...new SafeArrayIterator(rest)]);
  };
  define("time", { time(name = undefined) {
    name = label(name);
    if (started.has(name)) return ReflectApply(console.warn, console, [`Timer '${name}' already exists`]);
    started.set(name, now());
  } }.time);
  define("timeLog", { timeLog(name = undefined, ...rest) { elapsed(label(name), rest); } }.timeLog);
  define("timeEnd", { timeEnd(name = undefined) {
    name = label(name);
    elapsed(name, []);
    started.delete(name);
  } }.timeEnd);
}

function makeConsole() {
  const inner = new Console(print);
  const console = ObjectCreate({});
  const define = (name, value) => ObjectDefineProperty(console, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  const add = (name, printing) => {
    const method = inner[name];
    define(name, {
      [name](...args) {
        if (printing && !open) return op_cordon_log_drop();
        ReflectApply(method, inner, bounded(args));
      },
    }[name]);
  };
  for (let i = 0; i < PRINTING.length; i++) add(PRINTING[i], true);
  for (let i = 0; i < SILENT.length; i++) add(SILENT[i], false);
  addTimers({ log: console.log, warn: console.warn }, define);
  define("groupCollapsed", { groupCollapsed(...args) { ReflectApply(console.group, console, args); } }.groupCollapsed);
  define("clear", { clear() { inner.indentLevel = 0; } }.clear);
  ObjectDefineProperty(console, SymbolToStringTag, { __proto__: null, value: "console", configurable: true });
  return console;
}

// Text of any value for an error message, bounded by the formatter's own depth and width.
function inspect(value) {
  return inspectArgs([value], ObjectAssign({ __proto__: null }, { colors: false }));
}

function log(level, text) {
  open = op_cordon_log(level, text);
}

return { inspect, log, makeConsole };
})();
