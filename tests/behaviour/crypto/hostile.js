// Whatever a guest can replace or put on a prototype is replaced by something that looks at what passes: no byte of a key that may not
// be extracted is among it, and keys do what they do all the same.
const { subtle } = crypto;
const SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtISEh"; // "secret-secret-secret-!!!" of 24 bytes
const secret = Uint8Array.from(atob(SECRET), (c) => c.charCodeAt(0));
const data = new Uint8Array(16).fill(3);
const iv = new Uint8Array(12).fill(5);
const use = { name: "AES-GCM", iv };
const native = { includes: Function.prototype.call.bind(String.prototype.includes), stringify: JSON.stringify, keys: Reflect.ownKeys,
  apply: Reflect.apply, construct: Reflect.construct };
const latin = new TextDecoder("latin1");
const decode = Function.prototype.call.bind(TextDecoder.prototype.decode);
const { Uint8Array: Bytes } = globalThis;

const seen = { names: new Set(), leaks: 0, calls: 0, frames: 0 };
const add = Function.prototype.call.bind(Set.prototype.add);
let armed = false;
function look(where, value, depth = 0) {
  let text = "";
  if (typeof value === "string") text = value;
  else if (value instanceof ArrayBuffer) text = value.byteLength > 0 ? decode(latin, new Bytes(value)) : "";
  else if (ArrayBuffer.isView(value)) text = decode(latin, value);
  else if (value !== null && typeof value === "object" && depth < 2) {
    for (const key of native.keys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (property !== undefined && "value" in property) look(where, property.value, depth + 1);
    }
    return;
  }
  if (native.includes(text, SECRET) || native.includes(text, "secret-secret")) {
    seen.leaks++;
    add(seen.names, where);
  }
}
function watch(where, values) {
  if (!armed) return;
  armed = false;
  seen.calls++;
  for (let i = 0; i < values.length; i++) look(where, values[i]);
  armed = true;
}

// A method that looks and then does what it did.
function tap(owner, key, name) {
  const property = Object.getOwnPropertyDescriptor(owner, key);
  if (property === undefined || !property.configurable) return;
  // Nothing in here iterates or spreads: that would call what is tapped.
  const wrap = (original) => typeof original !== "function" ? original : function () {
    watch(name, [this, arguments]);
    const result = new.target ? native.construct(original, arguments, new.target) : native.apply(original, this, arguments);
    watch(name, [result]);
    return result;
  };
  Object.defineProperty(owner, key, { ...property, ...("value" in property ? { value: wrap(property.value) } : { get: wrap(property.get) }) });
}

function pollute() {
  // The frames of the host's scripts hand out neither their functions nor what those were called on.
  Error.prepareStackTrace = (error, frames) => {
    for (let i = 0; i < frames.length; i++) {
      if (frames[i].getFunction() === undefined && frames[i].getThis() === undefined) continue;
      seen.leaks++;
      add(seen.names, `frame ${frames[i].getFunctionName()}`);
    }
    seen.frames += frames.length;
    return "stack";
  };
  const owners = { Array: Array.prototype, Promise: Promise.prototype, ArrayBuffer: ArrayBuffer.prototype, Bytes: Uint8Array.prototype,
    TypedArray: Object.getPrototypeOf(Uint8Array.prototype), String: String.prototype, Map: Map.prototype, WeakMap: WeakMap.prototype,
    JSON, Reflect, Iterator: Object.getPrototypeOf([].values()), CryptoKey: CryptoKey.prototype, Encoder: TextEncoder.prototype,
    Decoder: TextDecoder.prototype, Function: Function.prototype };
  for (const [name, owner] of Object.entries(owners)) {
    for (const key of native.keys(owner)) {
      if (key !== "constructor" && !(owner === Function.prototype && key !== "toString")) tap(owner, key, `${name}.${String(key)}`);
    }
  }
  const trap = (owner, key) => Object.defineProperty(owner, key, {
    __proto__: null,
    configurable: true,
    get() { watch(`get ${String(key)}`, [this]); return undefined; },
    set(value) {
      watch(`set ${String(key)}`, [this, value]);
      Object.defineProperty(this, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    },
  });
  const names = ["toJSON", "then", "kty", "k", "d", "p", "q", "dp", "dq", "qi", "n", "e", "x", "y", "crv", "alg", "ext", "use", "key_ops", "oth", "hash",
    "length", "data", "slots", "ticket", "public", "label", "tagLength", "additionalData", "raw", "jwk", "value", "get", "name"];
  for (const key of names) if (!(key in Object.prototype)) trap(Object.prototype, key);
  for (let i = 0; i < 9; i++) trap(Array.prototype, String(i));
  for (const [owner, species] of [[Uint8Array.prototype, Uint8Array], [ArrayBuffer.prototype, ArrayBuffer]]) {
    Object.defineProperty(owner, "constructor", { __proto__: null, configurable: true, get() { watch("constructor", [this]); return species; } });
  }
}

export default async () => {
  const kek = await subtle.importKey("raw", data, "AES-GCM", false, ["wrapKey", "unwrapKey", "encrypt"]);
  const jwk = { kty: "oct", k: SECRET };
  const wrappedJwk = await subtle.encrypt(use, kek, new TextEncoder().encode(native.stringify(jwk)));
  const wrappedRaw = await subtle.encrypt(use, kek, secret);
  const pair = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const wrappedPair = await subtle.wrapKey("jwk", pair.privateKey, kek, use);
  const expected = native.stringify([...new Uint8Array(await subtle.sign("HMAC", await subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-1" }, false, ["sign"]), data))]);
  secret.fill(0);

  pollute();
  armed = true;
  const results = [];
  for (const [format, wrapped] of [["jwk", wrappedJwk], ["raw", wrappedRaw]]) {
    const key = await subtle.unwrapKey(format, wrapped, kek, use, { name: "HMAC", hash: "SHA-1", length: 192 }, false, ["sign"]);
    const clone = structuredClone({ key }).key;
    const form = key[Symbol.for("Deno.core.hostObject")]();
    watch("form", [form]);
    // A right that is written on the outside is none.
    try { key.usages[1] = "verify"; key.algorithm.name = "AES-GCM"; key.extractable = true; } catch {}
    const tags = [await subtle.sign("HMAC", key, data), await subtle.sign("HMAC", clone, data)];
    armed = false;
    for (const tag of tags) results.push(native.stringify([...new Uint8Array(tag)]) === expected);
    armed = true;
    for (const act of [() => subtle.exportKey("raw", key), () => subtle.exportKey("jwk", clone), () => subtle.wrapKey("raw", key, kek, use), () => subtle.verify("HMAC", key, tags[0], data)]) {
      results.push(await act().then(() => "done", (error) => error.stack === "stack" && error.name));
    }
  }
  // One that may leave is still nobody's to see on its way into its wrapping.
  const open = await subtle.unwrapKey("jwk", wrappedJwk, kek, use, { name: "HMAC", hash: "SHA-1" }, true, ["sign"]);
  await subtle.wrapKey("jwk", open, kek, use);
  const unwrapped = await subtle.unwrapKey("jwk", wrappedPair, kek, use, "Ed25519", false, ["sign"]);
  results.push(await subtle.verify("Ed25519", pair.publicKey, await subtle.sign("Ed25519", unwrapped, data), data));
  armed = false;
  return { results, leaks: seen.leaks, where: [...seen.names], looked: seen.calls > 10 && seen.frames > 10 };
};
