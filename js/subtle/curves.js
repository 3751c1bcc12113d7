// Keys on curves: ECDSA and ECDH on those of NIST, Ed25519 and X25519. A private key's data are its scalar or seed, a public one's its point.

(function () {
const { core, primordials } = __bootstrap;
const {
  op_cordon_subtle_ec_export,
  op_cordon_subtle_ec_generate,
  op_cordon_subtle_ec_import,
  op_cordon_subtle_ec_public,
  op_cordon_subtle_ecdh,
  op_cordon_subtle_ecdsa_sign,
  op_cordon_subtle_ecdsa_verify,
  op_cordon_subtle_ed25519_sign,
  op_cordon_subtle_ed25519_verify,
  op_cordon_subtle_okp_export,
  op_cordon_subtle_okp_import,
  op_cordon_subtle_okp_public,
  op_cordon_subtle_x25519,
} = core.ops;
const { TypedArrayPrototypeSet, Uint8Array } = primordials;
const { equal, firstBits, lengthOf, random, slice } = core.loadExtScript("ext:cordon/subtle/bytes.js");
const { dataError, invalidAccess, notSupported, operationError } = core.loadExtScript("ext:cordon/subtle/errors.js");
const jwks = core.loadExtScript("ext:cordon/subtle/jwk.js");
const { make, only, slotsOf, USAGE } = core.loadExtScript("ext:cordon/subtle/key.js");

// Bytes of a coordinate, and the algorithm of RFC 7518 that signs on the curve.
const FIELD_BYTES = { __proto__: null, "P-256": 32, "P-384": 48, "P-521": 66 };
const SIGNS_AS = { __proto__: null, "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };
const KEY_BYTES = 32;
const DERIVES = USAGE.deriveKey | USAGE.deriveBits;

// One family: `curve` does the arithmetic, `use` and the usages are those of what its keys are for.
function family(name, curve, use, privateUsages, publicUsages, operations) {
  const ofType = (type) => (type === "private" ? privateUsages : publicUsages);
  return {
    __proto__: null,
    ...operations,
    newUsages: privateUsages | publicUsages,
    checkNew: (algorithm) => curve.about(name, algorithm, notSupported),
    generateKey(algorithm, extractable, usages) {
      const about = curve.about(name, algorithm, notSupported);
      const secret = curve.generate(about);
      return {
        publicKey: make("public", true, about, usages & publicUsages, curve.point(about, secret)),
        privateKey: make("private", extractable, about, usages & privateUsages, secret),
      };
    },
    importKey(format, data, algorithm, extractable, usages) {
      const type = format === "pkcs8" || (format === "jwk" && data.d !== undefined) ? "private" : "public";
      only(usages, ofType(type));
      const about = curve.about(name, algorithm, dataError);
      if (format === "jwk") {
        jwks.check(data, curve.kty, use, extractable, usages);
        if (data.crv !== curve.crv(about)) throw dataError(`The member \`crv\` of the JWK must be ${curve.crv(about)}`);
        curve.checkAlg(about, data.alg);
      }
      const bytes = format === "jwk" ? curve.ofJwk(about, data) : curve.read(about, format, data);
      return make(type, extractable, about, usages, bytes);
    },
    exportKey(format, slots) {
      const fits = format === "jwk" || (format === "pkcs8") === (slots.type === "private");
      if (!fits) throw invalidAccess(`A ${slots.type} key has no format ${format}`);
      if (format !== "jwk") return curve.write(slots, format);
      const jwk = jwks.about(slots, curve.kty);
      jwk.crv = curve.crv(slots.algorithm);
      return curve.toJwk(slots, jwk);
    },
  };
}

// The curves of NIST.
const nist = {
  __proto__: null,
  kty: "EC",
  about(name, { namedCurve }, wrong) {
    if (FIELD_BYTES[namedCurve] === undefined) throw wrong(`The curve \`${namedCurve}\` is not supported: it is P-256, P-384 or P-521`);
    return { __proto__: null, name, namedCurve };
  },
  crv: ({ namedCurve }) => namedCurve,
  checkAlg({ name, namedCurve }, alg) {
    if (name === "ECDSA" && alg !== undefined && alg !== SIGNS_AS[namedCurve]) {
      throw dataError(`The member \`alg\` of the JWK must be ${SIGNS_AS[namedCurve]}`);
    }
  },
  generate: ({ namedCurve }) => op_cordon_subtle_ec_generate(namedCurve),
  point: ({ namedCurve }, secret) => op_cordon_subtle_ec_public(namedCurve, secret),
  read: ({ namedCurve }, format, data) => op_cordon_subtle_ec_import(namedCurve, format, data),
  write: ({ algorithm: { namedCurve }, data }, format) => op_cordon_subtle_ec_export(namedCurve, format, data),
  ofJwk({ namedCurve }, jwk) {
    const length = FIELD_BYTES[namedCurve];
    const x = jwks.bytesOf(jwk, "x");
    const y = jwks.bytesOf(jwk, "y");
    if (lengthOf(x) !== length || lengthOf(y) !== length) throw dataError(`A coordinate of ${namedCurve} has ${length} bytes`);
    const joined = new Uint8Array(1 + 2 * length);
    joined[0] = 4;
    TypedArrayPrototypeSet(joined, x, 1);
    TypedArrayPrototypeSet(joined, y, 1 + length);
    const point = op_cordon_subtle_ec_import(namedCurve, "raw", joined);
    if (jwk.d === undefined) return point;
    const secret = op_cordon_subtle_ec_import(namedCurve, "scalar", jwks.bytesOf(jwk, "d"));
    if (!equal(op_cordon_subtle_ec_public(namedCurve, secret), point)) throw dataError("The members of the JWK are of different keys");
    return secret;
  },
  toJwk({ algorithm: { namedCurve }, type, data }, jwk) {
    const length = FIELD_BYTES[namedCurve];
    const point = type === "private" ? op_cordon_subtle_ec_public(namedCurve, data) : data;
    jwk.x = jwks.textOf(slice(point, 1, 1 + length));
    jwk.y = jwks.textOf(slice(point, 1 + length, 1 + 2 * length));
    if (type === "private") jwk.d = jwks.textOf(data);
    return jwk;
  },
};

// Those of RFC 7748 and RFC 8032: the algorithm's name is the curve's.
const edwards = {
  __proto__: null,
  kty: "OKP",
  about: (name) => ({ __proto__: null, name }),
  crv: ({ name }) => name,
  checkAlg({ name }, alg) {
    if (name === "Ed25519" && alg !== undefined && alg !== "Ed25519" && alg !== "EdDSA") {
      throw dataError("The member `alg` of the JWK must be Ed25519 or EdDSA");
    }
  },
  generate: () => random(KEY_BYTES),
  point: ({ name }, secret) => op_cordon_subtle_okp_public(name, secret),
  read({ name }, format, data) {
    return format === "raw" ? ofLength(data) : op_cordon_subtle_okp_import(name, format === "pkcs8", data);
  },
  write({ algorithm: { name }, data }, format) {
    return format === "raw" ? slice(data, 0, KEY_BYTES) : op_cordon_subtle_okp_export(name, format === "pkcs8", data);
  },
  ofJwk({ name }, jwk) {
    const point = ofLength(jwks.bytesOf(jwk, "x"));
    if (jwk.d === undefined) return point;
    const secret = ofLength(jwks.bytesOf(jwk, "d"));
    if (!equal(op_cordon_subtle_okp_public(name, secret), point)) throw dataError("The members of the JWK are of different keys");
    return secret;
  },
  toJwk({ algorithm: { name }, type, data }, jwk) {
    jwk.x = jwks.textOf(type === "private" ? op_cordon_subtle_okp_public(name, data) : data);
    if (type === "private") jwk.d = jwks.textOf(data);
    if (name === "Ed25519") jwk.alg = "Ed25519";
    return jwk;
  },
};

function ofLength(bytes) {
  if (lengthOf(bytes) !== KEY_BYTES) throw dataError(`A key of this curve has ${KEY_BYTES} bytes`);
  return bytes;
}

// A secret that two keys agree on; `length` in bits, all of it when that is null.
function agreement(agree) {
  return (algorithm, slots, length) => {
    const other = slotsOf(algorithm.public);
    if (slots.type !== "private") throw invalidAccess("The base key is a private key");
    if (other.type !== "public") throw invalidAccess("The member `public` is a public key");
    if (other.algorithm.name !== slots.algorithm.name || other.algorithm.namedCurve !== slots.algorithm.namedCurve) {
      throw invalidAccess("Both keys are of the same algorithm and curve");
    }
    const secret = agree(slots, other);
    if (length === null) return secret;
    if (length > lengthOf(secret) * 8) throw operationError(`This curve gives at most ${lengthOf(secret) * 8} bits`);
    return firstBits(secret, length);
  };
}

function needs(type, slots) {
  if (slots.type !== type) throw invalidAccess(`This takes a ${type} key`);
}

const ECDSA = family("ECDSA", nist, "sig", USAGE.sign, USAGE.verify, {
  sign({ hash }, slots, data) {
    needs("private", slots);
    return op_cordon_subtle_ecdsa_sign(slots.algorithm.namedCurve, hash, slots.data, data);
  },
  verify({ hash }, slots, signature, data) {
    needs("public", slots);
    return op_cordon_subtle_ecdsa_verify(slots.algorithm.namedCurve, hash, slots.data, signature, data);
  },
});
const Ed25519 = family("Ed25519", edwards, "sig", USAGE.sign, USAGE.verify, {
  sign(_algorithm, slots, data) {
    needs("private", slots);
    return op_cordon_subtle_ed25519_sign(slots.data, data);
  },
  verify(_algorithm, slots, signature, data) {
    needs("public", slots);
    return op_cordon_subtle_ed25519_verify(slots.data, signature, data);
  },
});
const ECDH = family("ECDH", nist, "enc", DERIVES, 0, {
  deriveBits: agreement((slots, other) => op_cordon_subtle_ecdh(slots.algorithm.namedCurve, slots.data, other.data)),
});
const X25519 = family("X25519", edwards, "enc", DERIVES, 0, {
  deriveBits: agreement((slots, other) => op_cordon_subtle_x25519(slots.data, other.data)),
});

return { ECDSA, Ed25519, ECDH, X25519, needs };
})();
