// From what the guest calls an algorithm to one of those that there are, with its parameters read once and copied.

(function () {
const { core, primordials } = __bootstrap;
const { ObjectKeys, StringPrototypeToLowerCase, StringPrototypeToUpperCase } = primordials;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { copyOf } = core.loadExtScript("ext:cordon/subtle/bytes.js");
const { converter: cryptoKey } = core.loadExtScript("ext:cordon/subtle/key.js");
const { notSupported } = core.loadExtScript("ext:cordon/subtle/errors.js");

const HASHES = { __proto__: null, "SHA-1": null, "SHA-256": null, "SHA-384": null, "SHA-512": null };

const identifier = (V, prefix, context, options) =>
  webidl.type(V) === "Object" ? V : webidl.converters.DOMString(V, prefix, context, options);
const inRange = (type) => (V, prefix, context, _options) => webidl.converters[type](V, prefix, context, { __proto__: null, enforceRange: true });
const bytes = webidl.converters.BufferSource;
const text = webidl.converters.DOMString;

const required = (key, converter) => ({ key, converter, required: true });
const optional = (key, converter) => ({ key, converter });
// `members` come as the standard has them; bytes are copied and a hash is normalized after all of them have been read.
const dictionary = (name, ...members) => ({ members, convert: webidl.createDictionaryConverter(name, members) });

const readName = webidl.createDictionaryConverter("Algorithm", [required("name", text)]);
const HASHED = dictionary("RsaHashedImportParams", required("hash", identifier));
const RSA_GENERATE = dictionary(
  "RsaHashedKeyGenParams",
  required("modulusLength", inRange("unsigned long")),
  required("publicExponent", webidl.converters.Uint8Array),
  required("hash", identifier),
);
const PSS = dictionary("RsaPssParams", required("saltLength", inRange("unsigned long")));
const OAEP = dictionary("RsaOaepParams", optional("label", bytes));
const CURVE = dictionary("EcKeyImportParams", required("namedCurve", text));
const ECDSA = dictionary("EcdsaParams", required("hash", identifier));
const AGREE = dictionary("EcdhKeyDeriveParams", required("public", cryptoKey));
const AES_LENGTH = dictionary("AesKeyGenParams", required("length", inRange("unsigned short")));
const CBC = dictionary("AesCbcParams", required("iv", bytes));
const CTR = dictionary("AesCtrParams", required("counter", bytes), required("length", inRange("octet")));
const GCM = dictionary("AesGcmParams", required("iv", bytes), optional("additionalData", bytes), optional("tagLength", inRange("octet")));
const HMAC = dictionary("HmacImportParams", required("hash", identifier), optional("length", inRange("unsigned long")));
const HKDF = dictionary("HkdfParams", required("hash", identifier), required("salt", bytes), required("info", bytes));
const PBKDF2 = dictionary(
  "Pbkdf2Params",
  required("salt", bytes),
  required("iterations", inRange("unsigned long")),
  required("hash", identifier),
);

// Which algorithms each operation has, and what it reads: null is nothing but the name.
const RSA_KINDS = (value) => ({ __proto__: null, "RSASSA-PKCS1-v1_5": value, "RSA-PSS": value, "RSA-OAEP": value });
const AES_KINDS = (value) => ({ __proto__: null, "AES-CBC": value, "AES-CTR": value, "AES-GCM": value, "AES-KW": value });
const CIPHERS = { __proto__: null, "RSA-OAEP": OAEP, "AES-CBC": CBC, "AES-CTR": CTR, "AES-GCM": GCM };
const SIGNERS = { __proto__: null, "RSASSA-PKCS1-v1_5": null, "RSA-PSS": PSS, "ECDSA": ECDSA, "Ed25519": null, "HMAC": null };
const CURVES = { __proto__: null, "ECDSA": CURVE, "ECDH": CURVE, "Ed25519": null, "X25519": null };
const WRAPPERS = { __proto__: null, "AES-KW": null };
const OPERATIONS = {
  __proto__: null,
  digest: HASHES,
  encrypt: CIPHERS,
  decrypt: CIPHERS,
  sign: SIGNERS,
  verify: SIGNERS,
  deriveBits: { __proto__: null, "ECDH": AGREE, "X25519": AGREE, "HKDF": HKDF, "PBKDF2": PBKDF2 },
  wrapKey: WRAPPERS,
  unwrapKey: WRAPPERS,
  generateKey: { __proto__: null, ...RSA_KINDS(RSA_GENERATE), ...CURVES, ...AES_KINDS(AES_LENGTH), "HMAC": HMAC },
  importKey: { __proto__: null, ...RSA_KINDS(HASHED), ...CURVES, ...AES_KINDS(null), "HMAC": HMAC, "HKDF": null, "PBKDF2": null },
  keyLength: { __proto__: null, ...AES_KINDS(AES_LENGTH), "HMAC": HMAC, "HKDF": null, "PBKDF2": null },
};

// The names as the standard spells them, by their capitals.
const SPELLINGS = { __proto__: null };
for (const operation in OPERATIONS) {
  const names = ObjectKeys(OPERATIONS[operation]);
  for (let i = 0; i < names.length; i++) SPELLINGS[StringPrototypeToUpperCase(names[i])] = names[i];
}

// Case counts for nothing, but only that of ASCII: letters that become one of a name in one direction do not in the other.
function spelled(name) {
  const spelling = SPELLINGS[StringPrototypeToUpperCase(name)];
  return spelling !== undefined && StringPrototypeToLowerCase(spelling) === StringPrototypeToLowerCase(name) ? spelling : undefined;
}

// `given` is what `identifier` made of the guest's argument. The result has no prototype: what the guest left out is not there.
function normalize(operation, given, prefix) {
  const plain = typeof given === "string";
  const asked = plain ? given : readName(given, prefix, "Argument 1").name;
  const name = spelled(asked);
  const reads = name === undefined ? undefined : OPERATIONS[operation][name];
  if (reads === undefined) throw notSupported(`The algorithm \`${asked}\` has no operation ${operation} here`);
  if (reads === null) return { __proto__: null, name };
  const algorithm = reads.convert(plain ? { __proto__: null } : given, prefix, "Argument 1");
  const { members } = reads;
  for (let i = 0; i < members.length; i++) {
    const { key, converter } = members[i];
    if (algorithm[key] === undefined) continue;
    if (converter === bytes || key === "publicExponent") algorithm[key] = copyOf(algorithm[key]);
    else if (converter === identifier) algorithm[key] = normalize("digest", algorithm[key], prefix).name;
  }
  algorithm.name = name;
  return algorithm;
}

return { identifier, normalize };
})();
