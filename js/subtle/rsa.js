// RSA keys and what they do. A key's data are its PKCS#1 document.

(function () {
const { core, primordials } = __bootstrap;
const {
  op_cordon_subtle_rsa_check,
  op_cordon_subtle_rsa_export,
  op_cordon_subtle_rsa_facts,
  op_cordon_subtle_rsa_generate,
  op_cordon_subtle_rsa_import,
  op_cordon_subtle_rsa_oaep,
  op_cordon_subtle_rsa_of_jwk,
  op_cordon_subtle_rsa_sign,
  op_cordon_subtle_rsa_to_jwk,
  op_cordon_subtle_rsa_verify,
} = core.ops;
const { ObjectDefineProperty, StringPrototypeSlice, Uint8Array } = primordials;
const { needs } = core.loadExtScript("ext:cordon/subtle/curves.js");
const { dataError, invalidAccess, notSupported } = core.loadExtScript("ext:cordon/subtle/errors.js");
const jwks = core.loadExtScript("ext:cordon/subtle/jwk.js");
const { make, only, USAGE } = core.loadExtScript("ext:cordon/subtle/key.js");

const NOTHING = new Uint8Array(0);
const PUBLIC = ["n", "e"];
const PRIVATE = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];

// The names of RFC 7518 and of the standard: RS1 and RSA-OAEP are those of SHA-1.
const signs = (prefix) => (hash) => `${prefix}${StringPrototypeSlice(hash, 4)}`;
const encrypts = (hash) => (hash === "SHA-1" ? "RSA-OAEP" : `RSA-OAEP-${StringPrototypeSlice(hash, 4)}`);

function membersOf(jwk, names) {
  const members = [];
  for (let i = 0; i < names.length; i++) {
    const value = jwk[names[i]];
    if (value === undefined) throw dataError(`The JWK lacks the member \`${names[i]}\``);
    ObjectDefineProperty(members, i, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  }
  return members;
}

function ofJwk(jwk, isPrivate) {
  if (jwk.oth !== undefined) throw notSupported("RSA keys of more than two primes are not supported");
  return op_cordon_subtle_rsa_of_jwk(membersOf(jwk, isPrivate ? PRIVATE : PUBLIC));
}

// What a key of this document is called.
function about(name, hash, isPrivate, document) {
  const facts = op_cordon_subtle_rsa_facts(isPrivate, document);
  return { __proto__: null, name, modulusLength: facts[0], publicExponent: facts[1], hash };
}

function kind(name, alg, use, privateUsages, publicUsages, operations) {
  return {
    __proto__: null,
    ...operations,
    newUsages: privateUsages | publicUsages,
    checkNew: ({ modulusLength, publicExponent }) => op_cordon_subtle_rsa_check(modulusLength, publicExponent),
    generateKey({ modulusLength, publicExponent, hash }, extractable, usages) {
      const documents = op_cordon_subtle_rsa_generate(modulusLength, publicExponent);
      const algorithm = about(name, hash, false, documents[1]);
      return {
        publicKey: make("public", true, algorithm, usages & publicUsages, documents[1]),
        privateKey: make("private", extractable, algorithm, usages & privateUsages, documents[0]),
      };
    },
    importKey(format, data, { hash }, extractable, usages) {
      if (format === "raw") throw notSupported("An RSA key has no format raw: it is spki, pkcs8 or jwk");
      const isPrivate = format === "pkcs8" || (format === "jwk" && data.d !== undefined);
      only(usages, isPrivate ? privateUsages : publicUsages);
      if (format === "jwk") {
        jwks.check(data, "RSA", use, extractable, usages);
        if (data.alg !== undefined && data.alg !== alg(hash)) throw dataError(`The member \`alg\` of the JWK must be ${alg(hash)}`);
      }
      const document = format === "jwk" ? ofJwk(data, isPrivate) : op_cordon_subtle_rsa_import(isPrivate, data);
      return make(isPrivate ? "private" : "public", extractable, about(name, hash, isPrivate, document), usages, document);
    },
    exportKey(format, slots) {
      if (format === "raw") throw notSupported("An RSA key has no format raw: it is spki, pkcs8 or jwk");
      const isPrivate = slots.type === "private";
      if (format !== "jwk") {
        if ((format === "pkcs8") !== isPrivate) throw invalidAccess(`A ${slots.type} key has no format ${format}`);
        return op_cordon_subtle_rsa_export(isPrivate, slots.data);
      }
      const jwk = jwks.about(slots, "RSA");
      jwk.alg = alg(slots.algorithm.hash);
      const names = isPrivate ? PRIVATE : PUBLIC;
      const members = op_cordon_subtle_rsa_to_jwk(isPrivate, slots.data);
      for (let i = 0; i < names.length; i++) jwk[names[i]] = members[i];
      return jwk;
    },
  };
}

// `saltOf` says how long the salt is; less than none where the scheme has no salt.
const signature = (saltOf) => ({
  sign(algorithm, slots, data) {
    needs("private", slots);
    return op_cordon_subtle_rsa_sign(slots.algorithm.hash, saltOf(algorithm), slots.data, data);
  },
  verify(algorithm, slots, signature, data) {
    needs("public", slots);
    return op_cordon_subtle_rsa_verify(slots.algorithm.hash, saltOf(algorithm), slots.data, signature, data);
  },
});

return {
  "RSASSA-PKCS1-v1_5": kind("RSASSA-PKCS1-v1_5", signs("RS"), "sig", USAGE.sign, USAGE.verify, signature(() => -1)),
  "RSA-PSS": kind("RSA-PSS", signs("PS"), "sig", USAGE.sign, USAGE.verify, signature(({ saltLength }) => saltLength)),
  "RSA-OAEP": kind("RSA-OAEP", encrypts, "enc", USAGE.decrypt | USAGE.unwrapKey, USAGE.encrypt | USAGE.wrapKey, {
    encrypt({ label = NOTHING }, slots, data) {
      needs("public", slots);
      return op_cordon_subtle_rsa_oaep(true, slots.algorithm.hash, slots.data, label, data);
    },
    decrypt({ label = NOTHING }, slots, data) {
      needs("private", slots);
      return op_cordon_subtle_rsa_oaep(false, slots.algorithm.hash, slots.data, label, data);
    },
  }),
};
})();
