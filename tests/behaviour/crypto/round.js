// Every algorithm: a key is made, used, exported in each format, imported again, and the copy does what the key did.
const { subtle } = crypto;
const data = new TextEncoder().encode("data");
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const same = (one, other) => hex(one) === hex(other);

const SIGNERS = {
  "ECDSA P-256": [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
  "ECDSA P-384": [{ name: "ecdsa", namedCurve: "P-384" }, { name: "ECDSA", hash: { name: "sha-1" } }],
  "ECDSA P-521": [{ name: "ECDSA", namedCurve: "P-521" }, { name: "ECDSA", hash: "SHA-512" }],
  "Ed25519": [{ name: "Ed25519" }, "Ed25519"],
  "RSASSA-PKCS1-v1_5": [rsa("RSASSA-PKCS1-v1_5", "SHA-256"), "RSASSA-PKCS1-v1_5"],
  "RSA-PSS": [rsa("RSA-PSS", "SHA-1"), { name: "RSA-PSS", saltLength: 20 }],
};
function rsa(name, hash) {
  return { name, hash, modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
}

async function copies(algorithm, pair, publicUsages, privateUsages, formats) {
  const of = async (format, key, usages) =>
    subtle.importKey(format, await subtle.exportKey(format, key), algorithm, true, usages);
  const made = [];
  for (const format of formats) made.push([await of(format, pair.publicKey, publicUsages), await of("pkcs8", pair.privateKey, privateUsages)]);
  made.push([await of("jwk", pair.publicKey, publicUsages), await of("jwk", pair.privateKey, privateUsages)]);
  return made;
}

async function signs(name) {
  const [make, use] = SIGNERS[name];
  const pair = await subtle.generateKey(make, true, ["sign", "verify"]);
  const formats = name.startsWith("RSA") ? ["spki"] : ["spki", "raw"];
  const all = [[pair.publicKey, pair.privateKey], ...await copies(make, pair, ["verify"], ["sign"], formats)];
  for (const [, privateKey] of all) {
    const signature = new Uint8Array(await subtle.sign(use, privateKey, data));
    for (const [publicKey] of all) {
      if (!await subtle.verify(use, publicKey, signature, data)) return "not verified";
      if (await subtle.verify(use, publicKey, signature, data.subarray(1))) return "verified other data";
    }
    signature[5] ^= 1;
    if (await subtle.verify(use, pair.publicKey, signature, data)) return "verified another signature";
  }
  return "ok";
}

async function agrees(make) {
  const [one, other] = [await subtle.generateKey(make, true, ["deriveBits"]), await subtle.generateKey(make, true, ["deriveKey", "deriveBits"])];
  const bits = (mine, theirs, length) => subtle.deriveBits({ name: make.name, public: theirs }, mine, length);
  const whole = await bits(one.privateKey, other.publicKey);
  for (const [publicKey, privateKey] of await copies(make, other, [], ["deriveBits"], ["spki", "raw"])) {
    if (!same(whole, await bits(privateKey, one.publicKey, null)) || !same(whole, await bits(one.privateKey, publicKey))) return "other bits";
  }
  const some = new Uint8Array(await bits(one.privateKey, other.publicKey, 12));
  const first = new Uint8Array(whole);
  if (some.length !== 2 || some[0] !== first[0] || some[1] !== (first[1] & 0xf0)) return "other first bits";
  const derived = await subtle.deriveKey({ name: make.name, public: one.publicKey }, other.privateKey, { name: "AES-GCM", length: 128 }, true, ["encrypt"]);
  return same(await subtle.exportKey("raw", derived), whole.slice(0, 16)) ? "ok" : "another key";
}

async function encrypts(make, use) {
  const key = await subtle.generateKey(make, true, ["encrypt", "decrypt"]);
  const raw = await subtle.importKey("raw", await subtle.exportKey("raw", key), make.name, true, ["decrypt"]);
  const jwk = await subtle.importKey("jwk", await subtle.exportKey("jwk", key), make.name, false, ["decrypt"]);
  for (const length of [0, 1, 15, 16, 17, 1000]) {
    const plain = crypto.getRandomValues(new Uint8Array(length));
    const sealed = await subtle.encrypt(use, key, plain);
    for (const copy of [key, raw, jwk]) {
      if (!same(await subtle.decrypt(use, copy, sealed), plain)) return `other data of ${length}`;
    }
  }
  return "ok";
}

async function wraps(format, wrapAlgorithm, makeWrapping) {
  const wrapping = await subtle.generateKey(makeWrapping, false, ["wrapKey", "unwrapKey"]);
  const [wrap, unwrap] = wrapping.publicKey ? [wrapping.publicKey, wrapping.privateKey] : [wrapping, wrapping];
  const key = await subtle.generateKey({ name: "HMAC", hash: "SHA-256", length: 128 }, true, ["sign"]);
  const wrapped = await subtle.wrapKey(format, key, wrap, wrapAlgorithm);
  const back = await subtle.unwrapKey(format, wrapped, unwrap, wrapAlgorithm, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const [one, other] = [await subtle.sign("HMAC", key, data), await subtle.sign("HMAC", back, data)];
  return same(one, other) && back.extractable === false ? "ok" : "another key";
}

async function mac() {
  const key = await subtle.generateKey({ name: "HMAC", hash: "SHA-384" }, true, ["sign", "verify"]);
  const jwk = await subtle.exportKey("jwk", key);
  const copy = await subtle.importKey("jwk", jwk, { name: "HMAC", hash: "SHA-384" }, true, ["verify"]);
  const tag = await subtle.sign("HMAC", key, data);
  const good = await subtle.verify("HMAC", copy, tag, data) && !await subtle.verify("HMAC", copy, tag.slice(1), data);
  return good && jwk.alg === "HS384" && key.algorithm.length === 1024 ? "ok" : "not verified";
}

async function oaep() {
  const make = rsa("RSA-OAEP", "SHA-1");
  const pair = await subtle.generateKey(make, true, ["encrypt", "decrypt", "wrapKey", "unwrapKey"]);
  const use = { name: "RSA-OAEP", label: new Uint8Array([255, 0]) };
  for (const [publicKey, privateKey] of await copies(make, pair, ["encrypt"], ["decrypt"], ["spki"])) {
    if (!same(await subtle.decrypt(use, privateKey, await subtle.encrypt(use, publicKey, data)), data)) return "other data";
  }
  return wraps("raw", { name: "RSA-OAEP" }, make);
}

export default async () => {
  const results = {};
  for (const name of Object.keys(SIGNERS)) results[name] = await signs(name);
  for (const namedCurve of ["P-256", "P-384", "P-521"]) results[`ECDH ${namedCurve}`] = await agrees({ name: "ECDH", namedCurve });
  results.X25519 = await agrees({ name: "X25519" });
  const [iv, counter] = [new Uint8Array(16).fill(7), new Uint8Array(16).fill(255)];
  for (const length of [128, 192, 256]) {
    results[`AES-CBC ${length}`] = await encrypts({ name: "AES-CBC", length }, { name: "AES-CBC", iv });
    results[`AES-CTR ${length}`] = await encrypts({ name: "AES-CTR", length }, { name: "AES-CTR", counter, length: 64 });
    results[`AES-GCM ${length}`] = await encrypts({ name: "AES-GCM", length }, { name: "AES-GCM", iv, additionalData: counter, tagLength: 96 });
    results[`AES-KW ${length}`] = await wraps("raw", "AES-KW", { name: "AES-KW", length });
  }
  results["jwk in AES-GCM"] = await wraps("jwk", { name: "AES-GCM", iv }, { name: "AES-GCM", length: 256 });
  results["raw in AES-CBC"] = await wraps("raw", { name: "AES-CBC", iv }, { name: "AES-CBC", length: 128 });
  results.HMAC = await mac();
  results["RSA-OAEP"] = await oaep();
  return Object.entries(results).filter(([, result]) => result !== "ok");
};
