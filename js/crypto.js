// crypto.getRandomValues, crypto.randomUUID and crypto.subtle on the kernel's randomness, and a Math.random that no sibling cell shares.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_random } = core.ops;
const {
  ArrayBufferIsView,
  MathImul,
  NumberPrototypeToString,
  StringPrototypePadStart,
  Symbol,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypeError,
  Uint32Array,
  Uint8Array,
} = primordials;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { DOMException, QuotaExceededError } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { CryptoKey, subtle, SubtleCrypto } = core.loadExtScript("ext:cordon/subtle/subtle.js");

const QUOTA_BYTES = 65536;
const INTEGER_ARRAYS = {
  __proto__: null,
  Int8Array: true,
  Uint8Array: true,
  Uint8ClampedArray: true,
  Int16Array: true,
  Uint16Array: true,
  Int32Array: true,
  Uint32Array: true,
  BigInt64Array: true,
  BigUint64Array: true,
};
const key = Symbol("crypto");

function hex(bytes, from, to) {
  let text = "";
  for (let i = from; i < to; i++) text += StringPrototypePadStart(NumberPrototypeToString(bytes[i], 16), 2, "0");
  return text;
}

class Crypto {
  #genuine;
  constructor(given = undefined) {
    if (given !== key) throw new TypeError("Illegal constructor");
    this.#genuine = true;
  }
  get subtle() {
    this.#genuine;
    return subtle;
  }
  getRandomValues(array) {
    this.#genuine;
    const kind = ArrayBufferIsView(array) ? TypedArrayPrototypeGetSymbolToStringTag(array) : undefined;
    if (kind === undefined || INTEGER_ARRAYS[kind] !== true) {
      throw new DOMException("getRandomValues takes an integer typed array", "TypeMismatchError");
    }
    const length = TypedArrayPrototypeGetByteLength(array);
    if (length > QUOTA_BYTES) {
      throw new QuotaExceededError(`getRandomValues fills at most ${QUOTA_BYTES} bytes at once, not ${length}`);
    }
    op_cordon_random(new Uint8Array(TypedArrayPrototypeGetBuffer(array), TypedArrayPrototypeGetByteOffset(array), length));
    return array;
  }
  randomUUID() {
    this.#genuine;
    const bytes = new Uint8Array(16);
    op_cordon_random(bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return `${hex(bytes, 0, 4)}-${hex(bytes, 4, 6)}-${hex(bytes, 6, 8)}-${hex(bytes, 8, 10)}-${hex(bytes, 10, 16)}`;
  }
}
webidl.configureInterface(Crypto);

// xoshiro128** (public domain, Blackman and Vigna). Its state is set anew when the run arrives: whatever a zygote drew before
// its cells were forked is the same in all of them.
const state = new Uint32Array(4);

function seed() {
  op_cordon_random(new Uint8Array(TypedArrayPrototypeGetBuffer(state)));
  state[0] |= 1; // never all zero
}

function next() {
  const x = MathImul(state[1], 5);
  const result = MathImul((x << 7) | (x >>> 25), 9) >>> 0;
  const t = state[1] << 9;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= t;
  state[3] = (state[3] << 11) | (state[3] >>> 21);
  return result;
}

const { random } = { random() { return ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992; } };

return { crypto: new Crypto(key), Crypto, CryptoKey, random, seed, SubtleCrypto };
})();
