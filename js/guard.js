// What the guest is refused inside the realm. V8's own flag does the blocking (code generation from strings is off in every
// context); what stands here makes each attempt visible as a denial before it throws, and marks the errors that denials throw.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_refuse_codegen } = core.ops;
const {
  EvalError,
  FunctionPrototype,
  ObjectDefineProperty,
  ObjectGetPrototypeOf,
  SafeWeakSet,
  WeakSetPrototypeAdd,
  WeakSetPrototypeHas,
} = primordials;

// A mark that the guest can neither see nor forge: names and messages of errors are the guest's to choose.
const refused = new SafeWeakSet();

function markRefused(error) {
  WeakSetPrototypeAdd(refused, error);
  return error;
}

function isRefused(value) {
  return value !== null && (typeof value === "object" || typeof value === "function") && WeakSetPrototypeHas(refused, value);
}

// The error of a module that was not the artifact's own: the loader records the denial, this is what import() rejects with.
core.registerErrorBuilder("CordonModuleRefused", (message) => markRefused(new core.NotCapable(message)));

function refuseCodegen(door) {
  op_cordon_refuse_codegen(door);
  throw markRefused(
    new EvalError(`${door} is off: text is never turned into code. Write the code as a function of the module; for data use JSON.parse`),
  );
}

// Takes the place of a constructor of functions from text: same name, length and prototype, so instanceof keeps working.
function replaceConstructor(prototype, name, parent) {
  const replacement = { [name]: function (_text) { return refuseCodegen(name); } }[name];
  ObjectDefineProperty(replacement, "prototype", { __proto__: null, value: prototype, writable: false, enumerable: false, configurable: false });
  if (parent !== undefined) primordials.ObjectSetPrototypeOf(replacement, parent);
  const before = primordials.ReflectGetOwnPropertyDescriptor(prototype, "constructor");
  ObjectDefineProperty(prototype, "constructor", {
    __proto__: null,
    value: replacement,
    writable: before.writable,
    enumerable: false,
    configurable: true,
  });
  return replacement;
}

function install(target) {
  const replacement = replaceConstructor(FunctionPrototype, "Function");
  replaceConstructor(ObjectGetPrototypeOf(async function () {}), "AsyncFunction", replacement);
  replaceConstructor(ObjectGetPrototypeOf(function* () {}), "GeneratorFunction", replacement);
  replaceConstructor(ObjectGetPrototypeOf(async function* () {}), "AsyncGeneratorFunction", replacement);
  const global = (name, value) => ObjectDefineProperty(target, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
  global("Function", replacement);
  // A value that is no string is handed back, as the specification says.
  const { eval: evaluate } = { eval(text) { return typeof text === "string" ? refuseCodegen("eval") : text; } };
  global("eval", evaluate);
}

return { install, isRefused, markRefused, refuseCodegen };
})();
