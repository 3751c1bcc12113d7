// What is refused, and by which name: one line per case that is answered otherwise than the standard says.
const { subtle } = crypto;
const data = new Uint8Array(16);
const iv = new Uint8Array(12);
const rsa = { name: "RSA-PSS", hash: "SHA-256", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
const raw = (algorithm, usages, bytes = data, extractable = true) => subtle.importKey("raw", bytes, algorithm, extractable, usages);

export default async () => {
  const wrong = [];
  const refused = async (what, name, act) => {
    try {
      await act();
      wrong.push(`${what}: not refused`);
    } catch (error) {
      if (error.name !== name || (name !== "TypeError" && !(error instanceof DOMException))) wrong.push(`${what}: ${error.name}: ${error.message}`);
    }
  };
  const gcm = await raw("AES-GCM", ["encrypt", "decrypt", "wrapKey", "unwrapKey"]);
  const onlyEncrypts = await raw("AES-GCM", ["encrypt"]);
  const locked = await raw("AES-GCM", ["encrypt"], data, false);
  const kw = await raw("AES-KW", ["wrapKey", "unwrapKey"]);
  const hkdf = await raw("HKDF", ["deriveBits", "deriveKey"], data, false);
  const bits = await raw("PBKDF2", ["deriveBits"], data, false);
  const ecdsa = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const ecdh = await subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const other = await subtle.generateKey({ name: "ECDH", namedCurve: "P-384" }, true, ["deriveBits"]);
  const use = { name: "AES-GCM", iv };
  const sealed = new Uint8Array(await subtle.encrypt(use, gcm, data));
  const derive = (more) => ({ name: "HKDF", hash: "SHA-256", salt: data, info: data, ...more });
  const stretch = (more) => ({ name: "PBKDF2", hash: "SHA-256", salt: data, iterations: 1, ...more });
  const generate = (algorithm, usages) => () => subtle.generateKey(algorithm, true, usages);

  await refused("a usage that the key lacks", "InvalidAccessError", () => subtle.decrypt(use, onlyEncrypts, sealed));
  await refused("a key of another algorithm", "InvalidAccessError", () => subtle.encrypt({ name: "AES-CBC", iv: data }, gcm, data));
  await refused("a public key that signs", "InvalidAccessError", () => subtle.sign({ name: "ECDSA", hash: "SHA-256" }, ecdsa.publicKey, data));
  await refused("a private key that is exported", "InvalidAccessError", () => subtle.exportKey("pkcs8", ecdsa.privateKey));
  await refused("a private key as jwk", "InvalidAccessError", () => subtle.exportKey("jwk", ecdsa.privateKey));
  await refused("a public key as pkcs8", "InvalidAccessError", () => subtle.exportKey("pkcs8", ecdsa.publicKey));
  await refused("a locked key that is exported", "InvalidAccessError", () => subtle.exportKey("raw", locked));
  await refused("a locked key that is wrapped", "InvalidAccessError", () => subtle.wrapKey("raw", locked, gcm, use));
  await refused("a base key that is exported", "NotSupportedError", () => subtle.exportKey("raw", hkdf));
  await refused("an extractable base key", "SyntaxError", () => raw("HKDF", ["deriveBits"]));
  await refused("deriveKey without the usage", "InvalidAccessError", () => subtle.deriveKey(stretch(), bits, { name: "AES-GCM", length: 128 }, true, ["encrypt"]));
  await refused("keys of two curves", "InvalidAccessError", () => subtle.deriveBits({ name: "ECDH", public: other.publicKey }, ecdh.privateKey, 128));
  await refused("a private key as public", "InvalidAccessError", () => subtle.deriveBits({ name: "ECDH", public: ecdh.privateKey }, ecdh.privateKey, 128));
  await refused("more bits than there are", "OperationError", () => subtle.deriveBits({ name: "ECDH", public: ecdh.publicKey }, ecdh.privateKey, 257));

  for (const at of [0, 15, 16, 31]) {
    const changed = sealed.slice();
    changed[at] ^= 1;
    await refused(`a change at ${at}`, "OperationError", () => subtle.decrypt(use, gcm, changed));
  }
  await refused("a text shorter than its tag", "OperationError", () => subtle.decrypt(use, gcm, sealed.slice(0, 15)));
  await refused("an empty vector", "OperationError", () => subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(0) }, gcm, data));
  await refused("a tag of 100 bits", "OperationError", () => subtle.encrypt({ ...use, tagLength: 100 }, gcm, data));
  await refused("a tag of 300 bits", "TypeError", () => subtle.encrypt({ ...use, tagLength: 300 }, gcm, data));
  await refused("a changed wrapped key", "OperationError", () => subtle.unwrapKey("raw", new Uint8Array(24), kw, "AES-KW", "AES-GCM", true, ["encrypt"]));
  await refused("a wrapped key that is no JWK", "DataError", () => subtle.unwrapKey("jwk", sealed, gcm, use, "AES-GCM", true, ["encrypt"]));

  await refused("a salt and no bits", "OperationError", () => subtle.deriveBits(derive(), hkdf, null));
  await refused("half a byte", "OperationError", () => subtle.deriveBits(derive(), hkdf, 4));
  await refused("more than HKDF has", "OperationError", () => subtle.deriveBits(derive(), hkdf, 255 * 256 + 8));
  await refused("no iterations", "OperationError", () => subtle.deriveBits(stretch({ iterations: 0 }), bits, 128));
  await refused("negative iterations", "TypeError", () => subtle.deriveBits(stretch({ iterations: -1 }), bits, 128));

  await refused("an AES key of 100 bits", "OperationError", generate({ name: "AES-GCM", length: 100 }, ["encrypt"]));
  await refused("an AES key that signs", "SyntaxError", generate({ name: "AES-GCM", length: 128 }, ["sign"]));
  await refused("an AES key for nothing", "SyntaxError", generate({ name: "AES-GCM", length: 128 }, []));
  await refused("a pair for nothing", "SyntaxError", generate({ name: "ECDSA", namedCurve: "P-256" }, ["verify"]));
  await refused("a curve that there is not", "NotSupportedError", generate({ name: "ECDSA", namedCurve: "P-192" }, ["sign"]));
  await refused("an HMAC key of no bits", "OperationError", generate({ name: "HMAC", hash: "SHA-1", length: 0 }, ["sign"]));
  for (const modulusLength of [0, 256, 504, 8200, 16384, 4294967295]) {
    await refused(`a modulus of ${modulusLength} bits`, "OperationError", generate({ ...rsa, modulusLength }, ["sign"]));
  }
  for (const exponent of [[], [1], [2], [1, 0, 0]]) {
    await refused(`the exponent ${exponent}`, "OperationError", generate({ ...rsa, publicExponent: new Uint8Array(exponent) }, ["sign"]));
  }
  await refused("an unknown algorithm", "NotSupportedError", generate({ name: "DES" }, ["encrypt"]));
  await refused("letters that are none of ASCII", "NotSupportedError", () => subtle.digest("\u017fha-1", data));
  await refused("an unknown hash", "NotSupportedError", generate({ name: "HMAC", hash: "MD5" }, ["sign"]));
  await refused("a digest that encrypts", "NotSupportedError", () => subtle.encrypt("SHA-1", gcm, data));
  await refused("no name", "TypeError", generate({}, ["encrypt"]));
  await refused("an unknown usage", "TypeError", generate({ name: "AES-GCM", length: 128 }, ["use"]));
  await refused("an unknown format", "TypeError", () => subtle.exportKey("pem", gcm));
  await refused("bytes as jwk", "TypeError", () => subtle.importKey("jwk", data, "AES-GCM", true, ["encrypt"]));
  await refused("a jwk as bytes", "TypeError", () => raw("AES-GCM", ["encrypt"], { kty: "oct", k: "AAAA" }));
  await refused("no bytes at all", "TypeError", () => subtle.digest("SHA-1", "text"));
  await refused("too few arguments", "TypeError", () => subtle.digest("SHA-1"));
  await refused("no CryptoKey", "TypeError", () => subtle.exportKey("raw", Object.create(CryptoKey.prototype)));
  await refused("no SubtleCrypto", "TypeError", () => subtle.digest.call({}, "SHA-1", data));
  await refused("a key of 15 bytes", "DataError", () => raw("AES-GCM", ["encrypt"], data.slice(1)));
  await refused("an empty HMAC key", "DataError", () => raw({ name: "HMAC", hash: "SHA-1" }, ["sign"], new Uint8Array(0)));
  await refused("a point that is none", "DataError", () => raw({ name: "ECDH", namedCurve: "P-256" }, [], new Uint8Array(65).fill(4)));
  await refused("an RSA key in raw", "NotSupportedError", () => raw({ name: "RSA-PSS", hash: "SHA-1" }, ["verify"]));

  const jwk = { kty: "oct", k: "AAAAAAAAAAAAAAAAAAAAAA" };
  const importing = (more, extractable = true) => () => subtle.importKey("jwk", { ...jwk, ...more }, "AES-GCM", extractable, ["encrypt"]);
  await refused("another kind of key", "DataError", importing({ kty: "RSA" }));
  await refused("another algorithm", "DataError", importing({ alg: "A256GCM" }));
  await refused("another use", "DataError", importing({ use: "sig" }));
  await refused("operations without the usage", "DataError", importing({ key_ops: ["decrypt"] }));
  await refused("an operation twice", "DataError", importing({ key_ops: ["encrypt", "encrypt"] }));
  await refused("a key that is not to be extracted", "DataError", importing({ ext: false }));
  await refused("padding", "DataError", importing({ k: "AAAAAAAAAAAAAAAAAAAAAA==" }));
  await importing({ ext: false }, false)();

  for (const Illegal of [Crypto, SubtleCrypto, CryptoKey]) {
    await refused(`new ${Illegal.name}`, "TypeError", async () => new Illegal());
  }
  await refused("too much randomness", "QuotaExceededError", async () => crypto.getRandomValues(new Uint8Array(65537)));
  await refused("randomness for floats", "TypeMismatchError", async () => crypto.getRandomValues(new Float32Array(1)));
  return wrong;
};
