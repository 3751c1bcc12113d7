// SubtleCrypto, in the standard's order of steps. Before a method returns, arguments are converted, algorithms normalized and bytes copied;
// in the microtask after (`await null`), rights are checked and what was asked for is done. Both are on this thread, so the run pays for it,
// and no promise ever holds more than the result.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_subtle_digest } = core.ops;
const { ArrayBufferIsView, Symbol, TypeError } = primordials;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { bufferOf, copyOf, lengthOf } = core.loadExtScript("ext:cordon/subtle/bytes.js");
const { ECDH, ECDSA, Ed25519, X25519 } = core.loadExtScript("ext:cordon/subtle/curves.js");
const { invalidAccess, notSupported, syntaxError } = core.loadExtScript("ext:cordon/subtle/errors.js");
const jwks = core.loadExtScript("ext:cordon/subtle/jwk.js");
const { converter: cryptoKey, CryptoKey, only, slotsOf, USAGE, usageBits, USAGES } = core.loadExtScript("ext:cordon/subtle/key.js");
const { identifier, normalize } = core.loadExtScript("ext:cordon/subtle/normalize.js");
const rsa = core.loadExtScript("ext:cordon/subtle/rsa.js");
const secret = core.loadExtScript("ext:cordon/subtle/secret.js");

const ALGORITHMS = { __proto__: null, ...rsa, ...secret, ECDH, ECDSA, Ed25519, X25519 };
const given = Symbol("subtle");

const keyFormat = webidl.createEnumConverter("KeyFormat", ["raw", "pkcs8", "spki", "jwk"]);
const keyUsages = webidl.createSequenceConverter(webidl.createEnumConverter("KeyUsage", USAGES));
const maybeLength = webidl.createNullableConverter(webidl.converters["unsigned long"]);
const { boolean, BufferSource: bytes } = webidl.converters;
const keyData = (V, prefix, context, options) =>
  ArrayBufferIsView(V) || core.isAnyArrayBuffer(V) ? bytes(V, prefix, context, options) : jwks.convert(V, prefix, context, options);

// The arguments of `method`, each by its converter in `kinds`.
function convert(method, args, kinds, least = kinds.length) {
  const prefix = `Failed to execute '${method}' on 'SubtleCrypto'`;
  webidl.requiredArguments(args.length, least, prefix);
  const converted = { __proto__: null, prefix };
  for (let i = 0; i < kinds.length; i++) converted[i] = kinds[i](args[i], prefix, `Argument ${i + 1}`);
  return converted;
}

const isBytes = (data) => core.isTypedArray(data) || core.isAnyArrayBuffer(data) || ArrayBufferIsView(data);

// What a key is, once it is known that it is of this algorithm and may be used so.
function allowed(key, algorithm, usage) {
  const slots = slotsOf(key);
  if (slots.algorithm.name !== algorithm.name) throw invalidAccess(`The key is one of ${slots.algorithm.name}, not of ${algorithm.name}`);
  if ((slots.usages & USAGE[usage]) === 0) throw invalidAccess(`The key's usages do not have ${usage}`);
  return slots;
}

// A secret or private key that may be used for nothing is a mistake.
function useful(key) {
  const slots = slotsOf(key);
  if (slots.type !== "public" && slots.usages === 0) throw syntaxError(`A ${slots.type} key has at least one usage`);
  return key;
}

// A key's document: bytes, or a JWK without a prototype.
function exported(format, slots) {
  const { exportKey } = ALGORITHMS[slots.algorithm.name];
  if (exportKey === undefined) throw notSupported(`A key of ${slots.algorithm.name} is never exported`);
  if (!slots.extractable) throw invalidAccess("The key is not extractable");
  return exportKey(format, slots);
}

const imported = (format, data, algorithm, extractable, usages) =>
  useful(ALGORITHMS[algorithm.name].importKey(format, data, algorithm, extractable, usages));

// The algorithm to wrap or unwrap with: one that is made for it, or else one that encrypts.
function normalizeWrapping(operation, otherwise, algorithm, prefix) {
  let normalized;
  try {
    normalized = normalize(operation, algorithm, prefix);
  } catch {
    return { normalized: normalize(otherwise, algorithm, prefix), operation: otherwise };
  }
  return { normalized, operation };
}

// Encrypting, decrypting and signing differ in the operation's name only: first what is read, then what is done.
function prepare(operation, args) {
  return { __proto__: null, operation, normalized: normalize(operation, args[0], args.prefix), key: args[1], input: copyOf(args[2]) };
}

function transform({ operation, normalized, key, input }) {
  return bufferOf(ALGORITHMS[normalized.name][operation](normalized, allowed(key, normalized, operation), input));
}

function derived(operation, algorithm, key, length) {
  return ALGORITHMS[algorithm.name].deriveBits(algorithm, allowed(key, algorithm, operation), length);
}

class SubtleCrypto {
  #genuine;
  constructor(mark = undefined) {
    if (mark !== given) webidl.illegalConstructor();
    this.#genuine = true;
  }
  async encrypt(algorithm, key, data) {
    this.#genuine;
    const prepared = prepare("encrypt", convert("encrypt", arguments, [identifier, cryptoKey, bytes]));
    await null;
    return transform(prepared);
  }
  async decrypt(algorithm, key, data) {
    this.#genuine;
    const prepared = prepare("decrypt", convert("decrypt", arguments, [identifier, cryptoKey, bytes]));
    await null;
    return transform(prepared);
  }
  async sign(algorithm, key, data) {
    this.#genuine;
    const prepared = prepare("sign", convert("sign", arguments, [identifier, cryptoKey, bytes]));
    await null;
    return transform(prepared);
  }
  async verify(algorithm, key, signature, data) {
    this.#genuine;
    const args = convert("verify", arguments, [identifier, cryptoKey, bytes, bytes]);
    const normalized = normalize("verify", args[0], args.prefix);
    const tag = copyOf(args[2]);
    const input = copyOf(args[3]);
    await null;
    return ALGORITHMS[normalized.name].verify(normalized, allowed(args[1], normalized, "verify"), tag, input);
  }
  async digest(algorithm, data) {
    this.#genuine;
    const args = convert("digest", arguments, [identifier, bytes]);
    const { name } = normalize("digest", args[0], args.prefix);
    const input = copyOf(args[1]);
    await null;
    return bufferOf(op_cordon_subtle_digest(name, input));
  }
  async generateKey(algorithm, extractable, keyUsageNames) {
    this.#genuine;
    const args = convert("generateKey", arguments, [identifier, boolean, keyUsages]);
    const normalized = normalize("generateKey", args[0], args.prefix);
    const usages = usageBits(args[2]);
    const { checkNew, newUsages, generateKey } = ALGORITHMS[normalized.name];
    // What is wrong with the parameters is told at once, after what is wrong with the usages.
    if (checkNew !== undefined && (usages & ~newUsages) === 0) checkNew(normalized);
    await null;
    only(usages, newUsages);
    const result = generateKey(normalized, args[1], usages);
    useful(slotsOf(result) === undefined ? result.privateKey : result);
    return result;
  }
  async deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsageNames) {
    this.#genuine;
    const args = convert("deriveKey", arguments, [identifier, cryptoKey, identifier, boolean, keyUsages]);
    const normalized = normalize("deriveBits", args[0], args.prefix);
    const type = normalize("importKey", args[2], args.prefix);
    const measured = normalize("keyLength", args[2], args.prefix);
    await null;
    allowed(args[1], normalized, "deriveKey");
    const length = ALGORITHMS[measured.name].keyLength(measured);
    return imported("raw", derived("deriveKey", normalized, args[1], length), type, args[3], usageBits(args[4]));
  }
  async deriveBits(algorithm, baseKey, length = null) {
    this.#genuine;
    const args = convert("deriveBits", arguments, [identifier, cryptoKey, maybeLength], 2);
    const normalized = normalize("deriveBits", args[0], args.prefix);
    await null;
    return bufferOf(derived("deriveBits", normalized, args[1], args[2] ?? null));
  }
  async importKey(format, data, algorithm, extractable, keyUsageNames) {
    this.#genuine;
    const args = convert("importKey", arguments, [keyFormat, keyData, identifier, boolean, keyUsages]);
    const normalized = normalize("importKey", args[2], args.prefix);
    const binary = isBytes(args[1]);
    if (binary === (args[0] === "jwk")) {
      throw new TypeError(`${args.prefix}: Argument 2 is ${binary ? "a JsonWebKey" : "a BufferSource"} for the format ${args[0]}`);
    }
    const input = binary ? copyOf(args[1]) : args[1];
    await null;
    return imported(args[0], input, normalized, args[3], usageBits(args[4]));
  }
  async exportKey(format, key) {
    this.#genuine;
    const args = convert("exportKey", arguments, [keyFormat, cryptoKey]);
    await null;
    const document = exported(args[0], slotsOf(args[1]));
    return args[0] === "jwk" ? jwks.toObject(document) : bufferOf(document);
  }
  async wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    this.#genuine;
    const args = convert("wrapKey", arguments, [keyFormat, cryptoKey, cryptoKey, identifier]);
    const { normalized, operation } = normalizeWrapping("wrapKey", "encrypt", args[3], args.prefix);
    await null;
    const wrapping = allowed(args[2], normalized, "wrapKey");
    const document = exported(args[0], slotsOf(args[1]));
    const plain = args[0] === "jwk" ? jwks.toBytes(document) : document;
    return bufferOf(ALGORITHMS[normalized.name][operation](normalized, wrapping, plain));
  }
  async unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsageNames) {
    this.#genuine;
    const kinds = [keyFormat, bytes, cryptoKey, identifier, identifier, boolean, keyUsages];
    const args = convert("unwrapKey", arguments, kinds);
    const { normalized, operation } = normalizeWrapping("unwrapKey", "decrypt", args[3], args.prefix);
    const type = normalize("importKey", args[4], args.prefix);
    const wrapped = copyOf(args[1]);
    await null;
    const plain = ALGORITHMS[normalized.name][operation](normalized, allowed(args[2], normalized, "unwrapKey"), wrapped);
    return imported(args[0], args[0] === "jwk" ? jwks.ofBytes(plain) : plain, type, args[5], usageBits(args[6]));
  }
}
webidl.configureInterface(SubtleCrypto);

return { CryptoKey, subtle: new SubtleCrypto(given), SubtleCrypto };
})();
