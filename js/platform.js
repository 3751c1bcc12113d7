// Where the crates' classes leave something to the runtime that loads them: errors of their ops, attributes of Request, clones, timers.

(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeSome,
  ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptors,
  SafeArrayIterator,
  SafeSet,
  StringPrototypeCharCodeAt,
  StringPrototypeIsWellFormed,
  uncurryThis,
} = primordials;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { Event } = core.loadExtScript("ext:deno_web/02_event.js");
const { URLPattern } = core.loadExtScript("ext:deno_web/01_urlpattern.js");
const port = core.loadExtScript("ext:deno_web/13_message_port.js");
const timers = core.loadExtScript("ext:deno_web/02_timers.js");
const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
const { Request, RequestPrototype } = core.loadExtScript("ext:deno_fetch/23_request.js");
const { refuseCodegen } = core.loadExtScript("ext:cordon/guard.js");

// Classes of errors that ops of the crates throw by name. One without a builder would arrive as `undefined`.
const DOM_ERRORS = ["IndexSizeError", "InvalidCharacterError", "InvalidStateError", "OperationError", "SyntaxError"];
for (let i = 0; i < DOM_ERRORS.length; i++) {
  core.registerErrorBuilder(`DOMException${DOM_ERRORS[i]}`, (message) => new DOMException(message, DOM_ERRORS[i]));
}

// Constants, where the crate has accessors.
const PHASES = { __proto__: null, NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 };
for (const name in PHASES) {
  const constant = { __proto__: null, value: PHASES[name], writable: false, enumerable: true, configurable: false };
  ObjectDefineProperty(Event, name, constant);
  ObjectDefineProperty(Event.prototype, name, constant);
}

// What the standard's Request has besides; the values are those of a request that no page made.
class Additions {
  get destination() {
    webidl.assertBranded(this, RequestPrototype);
    return "";
  }
  get duplex() {
    webidl.assertBranded(this, RequestPrototype);
    return "half";
  }
  get isHistoryNavigation() {
    webidl.assertBranded(this, RequestPrototype);
    return false;
  }
  get isReloadNavigation() {
    webidl.assertBranded(this, RequestPrototype);
    return false;
  }
}
const additions = ObjectGetOwnPropertyDescriptors(Additions.prototype);
for (const name of new SafeArrayIterator(["destination", "duplex", "isHistoryNavigation", "isReloadNavigation"])) {
  ObjectDefineProperty(Request.prototype, name, { __proto__: null, get: additions[name].get, set: undefined, enumerable: true, configurable: true });
}

// Matching without an input is matching an empty one.
const matching = { exec: uncurryThis(URLPattern.prototype.exec), test: uncurryThis(URLPattern.prototype.test) };
const { exec, test } = {
  exec(input = { __proto__: null }, baseURL = undefined) { return matching.exec(this, input, baseURL); },
  test(input = { __proto__: null }, baseURL = undefined) { return matching.test(this, input, baseURL); },
};
ObjectDefineProperty(URLPattern.prototype, "exec", { __proto__: null, value: exec, writable: true, enumerable: true, configurable: true });
ObjectDefineProperty(URLPattern.prototype, "test", { __proto__: null, value: test, writable: true, enumerable: true, configurable: true });

// A body that was given as text is kept as text; where its bytes would be read as another text, they are what is read.
const BYTE_ORDER_MARK = 0xfeff;
const consume = uncurryThis(InnerBody.prototype.consume);
InnerBody.prototype.consume = function () {
  const body = consume(this);
  if (typeof body !== "string") return body;
  return StringPrototypeCharCodeAt(body, 0) === BYTE_ORDER_MARK || !StringPrototypeIsWellFormed(body) ? core.encode(body) : body;
};

// What is cloned only brings a function along, what is transferred the name of its kind.
const isClonedOnly = (object) => typeof object[core.hostObjectBrand] === "function";

// Something that is transferred twice, or cannot be, is refused before anything is transferred.
const { structuredClone } = {
  structuredClone(value, options = undefined) {
    const prefix = "Failed to execute 'structuredClone'";
    webidl.requiredArguments(arguments.length, 1, prefix);
    if (options === undefined) return port.structuredClone(value);
    const { transfer } = webidl.converters.StructuredSerializeOptions(options, prefix, "Argument 2");
    if (new SafeSet(transfer).size !== transfer.length) {
      throw new DOMException("An object is in the transfer list twice", "DataCloneError");
    }
    if (ArrayPrototypeSome(transfer, isClonedOnly)) throw new DOMException("An object in the transfer list cannot be transferred", "DataCloneError");
    return port.structuredClone(value, { __proto__: null, transfer });
  },
};

// A timer that is given text would turn it into code: refused like eval, and visible like it. Everything that is no function would become text.
function timer(name, native) {
  return {
    [name](callback, delay = undefined, ...args) {
      webidl.requiredArguments(arguments.length, 1, `Failed to execute '${name}'`);
      if (typeof callback !== "function") refuseCodegen(name);
      return native(callback, delay, ...new SafeArrayIterator(args));
    },
  }[name];
}

return { setInterval: timer("setInterval", timers.setInterval), setTimeout: timer("setTimeout", timers.setTimeout), structuredClone };
})();
