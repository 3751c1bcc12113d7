// Secret keys: AES in its modes, HMAC, and what HKDF and PBKDF2 start from. The key's data are its bytes.

(function () {
const { core, primordials } = __bootstrap;
const {
  op_cordon_subtle_aes_cbc,
  op_cordon_subtle_aes_ctr,
  op_cordon_subtle_aes_gcm,
  op_cordon_subtle_aes_kw,
  op_cordon_subtle_hkdf,
  op_cordon_subtle_hmac,
  op_cordon_subtle_hmac_verify,
  op_cordon_subtle_pbkdf2,
} = core.ops;
const { MathCeil, MathMax, StringPrototypeSlice, TypeError, Uint8Array } = primordials;
const { extended, firstBits, lengthOf, random, slice } = core.loadExtScript("ext:cordon/subtle/bytes.js");
const { dataError, notSupported, operationError, syntaxError } = core.loadExtScript("ext:cordon/subtle/errors.js");
const jwks = core.loadExtScript("ext:cordon/subtle/jwk.js");
const { make, only, USAGE } = core.loadExtScript("ext:cordon/subtle/key.js");

const NOTHING = new Uint8Array(0);
const BLOCK_BYTES = 16;
// Bits of a tag that AES-GCM may have. Source: the standard, AES-GCM encrypt, step 4.
const TAG_BITS = { __proto__: null, 32: true, 64: true, 96: true, 104: true, 112: true, 120: true, 128: true };
// Bits of a hash's block, which a key of HMAC has when nothing else is said.
const BLOCK_BITS = { __proto__: null, "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 };
const WRAPS = USAGE.wrapKey | USAGE.unwrapKey;
const ENCRYPTS = USAGE.encrypt | USAGE.decrypt | WRAPS;
const SIGNS = USAGE.sign | USAGE.verify;
const DERIVES = USAGE.deriveKey | USAGE.deriveBits;

// The bytes of a `raw` or `jwk` key; `alg` is what the JWK may call its algorithm, which can depend on the length.
function secretOf(format, data, use, extractable, usages, alg) {
  if (format === "raw") return data;
  if (format !== "jwk") throw notSupported(`A secret key has no format ${format}: it is raw or jwk`);
  jwks.check(data, "oct", use, extractable, usages);
  const bytes = jwks.bytesOf(data, "k");
  const expected = alg(lengthOf(bytes) * 8);
  if (data.alg !== undefined && data.alg !== expected) throw dataError(`The member \`alg\` of the JWK must be ${expected}`);
  return bytes;
}

function exportSecret(format, slots, alg) {
  if (format === "raw") return slice(slots.data, 0, lengthOf(slots.data));
  if (format !== "jwk") throw notSupported(`A secret key has no format ${format}: it is raw or jwk`);
  const jwk = jwks.about(slots, "oct");
  jwk.k = jwks.textOf(slots.data);
  jwk.alg = alg(lengthOf(slots.data) * 8);
  return jwk;
}

const isAesLength = (bits) => bits === 128 || bits === 192 || bits === 256;

function aes(name, allowed, operations) {
  const mode = StringPrototypeSlice(name, 4);
  const alg = (bits) => `A${bits}${mode}`;
  const keyLength = ({ length }) => {
    if (!isAesLength(length)) throw operationError("An AES key has 128, 192 or 256 bits");
    return length;
  };
  return {
    __proto__: null,
    ...operations,
    keyLength,
    newUsages: allowed,
    checkNew: keyLength,
    generateKey({ length }, extractable, usages) {
      return make("secret", extractable, { __proto__: null, name, length }, usages, random(length / 8));
    },
    importKey(format, data, _algorithm, extractable, usages) {
      only(usages, allowed);
      const bytes = secretOf(format, data, "enc", extractable, usages, alg);
      const length = lengthOf(bytes) * 8;
      if (!isAesLength(length)) throw dataError("An AES key has 128, 192 or 256 bits");
      return make("secret", extractable, { __proto__: null, name, length }, usages, bytes);
    },
    exportKey: (format, slots) => exportSecret(format, slots, alg),
  };
}

function checkVector(bytes, name) {
  if (lengthOf(bytes) !== BLOCK_BYTES) throw operationError(`The \`${name}\` has 16 bytes`);
}

const CBC = aes("AES-CBC", ENCRYPTS, {
  encrypt({ iv }, { data: key }, data) {
    checkVector(iv, "iv");
    const length = lengthOf(data);
    const buffer = extended(data, BLOCK_BYTES - length % BLOCK_BYTES);
    op_cordon_subtle_aes_cbc(true, key, iv, buffer, length);
    return buffer;
  },
  decrypt({ iv }, { data: key }, data) {
    checkVector(iv, "iv");
    return slice(data, 0, op_cordon_subtle_aes_cbc(false, key, iv, data, 0));
  },
});

function countered({ counter, length }, { data: key }, data) {
  checkVector(counter, "counter");
  op_cordon_subtle_aes_ctr(key, counter, length, data);
  return data;
}
const CTR = aes("AES-CTR", ENCRYPTS, { encrypt: countered, decrypt: countered });

function tagBytes({ tagLength = 128 }) {
  if (TAG_BITS[tagLength] !== true) throw operationError("The `tagLength` is 32, 64, 96, 104, 112, 120 or 128");
  return tagLength / 8;
}
const GCM = aes("AES-GCM", ENCRYPTS, {
  encrypt(algorithm, { data: key }, data) {
    const tag = tagBytes(algorithm);
    const buffer = extended(data, tag);
    op_cordon_subtle_aes_gcm(true, key, algorithm.iv, algorithm.additionalData ?? NOTHING, tag, buffer);
    return buffer;
  },
  decrypt(algorithm, { data: key }, data) {
    const tag = tagBytes(algorithm);
    op_cordon_subtle_aes_gcm(false, key, algorithm.iv, algorithm.additionalData ?? NOTHING, tag, data);
    return slice(data, 0, lengthOf(data) - tag);
  },
});

const KW = aes("AES-KW", WRAPS, {
  wrapKey(_algorithm, { data: key }, data) {
    const out = new Uint8Array(lengthOf(data) + 8);
    op_cordon_subtle_aes_kw(true, key, data, out);
    return out;
  },
  unwrapKey(_algorithm, { data: key }, data) {
    const out = new Uint8Array(MathMax(0, lengthOf(data) - 8));
    op_cordon_subtle_aes_kw(false, key, data, out);
    return out;
  },
});

const hmacAlg = (hash) => () => `HS${StringPrototypeSlice(hash, 4)}`;
const HMAC = {
  __proto__: null,
  keyLength({ hash, length }) {
    if (length === 0) throw new TypeError("The `length` of an HMAC key is not 0");
    return length ?? BLOCK_BITS[hash];
  },
  newUsages: SIGNS,
  checkNew({ length }) {
    if (length === 0) throw operationError("The `length` of an HMAC key is not 0");
  },
  generateKey({ hash, length = BLOCK_BITS[hash] }, extractable, usages) {
    const data = firstBits(random(MathCeil(length / 8)), length);
    return make("secret", extractable, { __proto__: null, name: "HMAC", hash, length }, usages, data);
  },
  importKey(format, given, { hash, length }, extractable, usages) {
    only(usages, SIGNS);
    const bytes = secretOf(format, given, "sig", extractable, usages, hmacAlg(hash));
    const bits = lengthOf(bytes) * 8;
    if (bits === 0) throw dataError("An HMAC key is not empty");
    if (length !== undefined && (length > bits || length <= bits - 8)) {
      throw dataError(`The \`length\` of a key of ${bits / 8} bytes is more than ${bits - 8} and at most ${bits}`);
    }
    const algorithm = { __proto__: null, name: "HMAC", hash, length: length ?? bits };
    return make("secret", extractable, algorithm, usages, firstBits(bytes, length ?? bits));
  },
  exportKey: (format, slots) => exportSecret(format, slots, hmacAlg(slots.algorithm.hash)),
  sign: (_algorithm, { algorithm: { hash }, data: key }, data) => op_cordon_subtle_hmac(hash, key, data),
  verify: (_algorithm, { algorithm: { hash }, data: key }, signature, data) => op_cordon_subtle_hmac_verify(hash, key, signature, data),
};

// What a key is derived from is never handed out again.
function source(name, derive) {
  return {
    __proto__: null,
    keyLength: () => null,
    importKey(format, data, _algorithm, extractable, usages) {
      if (format !== "raw") throw notSupported(`A key of ${name} has no format ${format}: it is raw`);
      only(usages, DERIVES);
      if (extractable) throw syntaxError(`A key of ${name} is never extractable`);
      return make("secret", false, { __proto__: null, name }, usages, data);
    },
    deriveBits(algorithm, { data: key }, length) {
      if (length === null || length % 8 !== 0) throw operationError(`${name} gives whole bytes: the length is a multiple of 8`);
      const out = new Uint8Array(length / 8);
      derive(algorithm, key, out);
      return out;
    },
  };
}

return {
  "AES-CBC": CBC,
  "AES-CTR": CTR,
  "AES-GCM": GCM,
  "AES-KW": KW,
  HMAC,
  HKDF: source("HKDF", ({ hash, salt, info }, key, out) => op_cordon_subtle_hkdf(hash, key, salt, info, out)),
  PBKDF2: source("PBKDF2", ({ hash, salt, iterations }, key, out) => op_cordon_subtle_pbkdf2(hash, key, salt, iterations, out)),
};
})();
