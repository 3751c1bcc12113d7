// CryptoKey: a handle. What the key is stands in a private field that only these scripts read, so that neither a method that the guest
// has replaced nor a property that it has set reaches the bytes or changes what the key may do.

(function () {
const { core, primordials } = __bootstrap;
const {
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeSet,
  ObjectDefineProperty,
  SafeMap,
  Symbol,
  Uint8Array,
} = primordials;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { syntaxError } = core.loadExtScript("ext:cordon/subtle/errors.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

// What a key may be used for, as bits; a list of the guest's could be changed behind our back. In the standard's order.
const USAGE = {
  __proto__: null,
  encrypt: 1,
  decrypt: 2,
  sign: 4,
  verify: 8,
  deriveKey: 16,
  deriveBits: 32,
  wrapKey: 64,
  unwrapKey: 128,
};
const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
const made = Symbol("made");

function push(array, value) {
  ObjectDefineProperty(array, array.length, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

// The names of `usages`, as an array for the guest.
function usageNames(usages) {
  const names = [];
  for (let i = 0; i < USAGES.length; i++) {
    if ((usages & USAGE[USAGES[i]]) !== 0) push(names, USAGES[i]);
  }
  return names;
}

// The bits of a list of names that webidl has converted.
function usageBits(names) {
  let usages = 0;
  for (let i = 0; i < names.length; i++) usages |= USAGE[names[i]];
  return usages;
}

// Refuses usages that this kind of key does not have.
function only(usages, allowed) {
  if ((usages & ~allowed) !== 0) {
    const names = [];
    for (let i = 0; i < USAGES.length; i++) {
      if ((allowed & USAGE[USAGES[i]]) !== 0) push(names, USAGES[i]);
    }
    let text = names.length === 0 ? "none" : names[0];
    for (let i = 1; i < names.length; i++) text += `, ${names[i]}`;
    throw syntaxError(`This key has other usages than were asked for: it may have ${text}`);
  }
}

// What the guest sees of an algorithm: a plain object, made anew for each key.
function shown(algorithm) {
  const object = {};
  for (const name in algorithm) {
    let value = algorithm[name];
    if (name === "hash") value = { name: value };
    else if (name === "publicExponent") value = new Uint8Array(value);
    ObjectDefineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}

let slotsOf;
class CryptoKey {
  #slots;
  #algorithm;
  #usages;

  constructor(mark = undefined, slots = undefined) {
    if (mark !== made) webidl.illegalConstructor();
    this.#slots = slots;
  }
  get type() {
    return this.#slots.type;
  }
  get extractable() {
    return this.#slots.extractable;
  }
  get algorithm() {
    this.#algorithm ??= shown(this.#slots.algorithm);
    return this.#algorithm;
  }
  get usages() {
    this.#usages ??= usageNames(this.#slots.usages);
    return this.#usages;
  }
  static {
    slotsOf = (value) => value !== null && typeof value === "object" && #slots in value ? value.#slots : undefined;
  }
}
webidl.configureInterface(CryptoKey);

// A new key. `algorithm` has no prototype: { name, hash, length, modulusLength, publicExponent, namedCurve }, as far as there is one; `data` is
// bytes: secret itself, a PKCS#1 document of RSA, a scalar or point, or the 32 bytes of Curve25519.
function make(type, extractable, algorithm, usages, data) {
  return new CryptoKey(made, { __proto__: null, type, extractable, algorithm, usages, data });
}

// A key is cloned by a ticket: the serialized form, which the guest can ask for, has a number and no bytes, and each number works once.
const tickets = new SafeMap();
let lastTicket = 0;
const { value } = {
  value() {
    const slots = slotsOf(this);
    if (slots === undefined) throw new DOMException("This is no CryptoKey", "DataCloneError");
    MapPrototypeSet(tickets, ++lastTicket, slots);
    return { __proto__: null, type: "CryptoKey", ticket: lastTicket };
  },
};
ObjectDefineProperty(CryptoKey.prototype, core.hostObjectBrand, { __proto__: null, value });
core.registerCloneableResource("CryptoKey", ({ ticket }) => {
  const slots = MapPrototypeGet(tickets, ticket);
  if (slots === undefined) throw new DOMException("This CryptoKey was not cloned here", "DataCloneError");
  MapPrototypeDelete(tickets, ticket);
  return new CryptoKey(made, slots);
});

const converter = (V, prefix, context, _options) => {
  if (slotsOf(V) === undefined) throw webidl.makeException(primordials.TypeError, "is not of type CryptoKey", prefix, context);
  return V;
};

return { converter, CryptoKey, make, only, push, slotsOf, USAGE, usageBits, usageNames, USAGES };
})();
