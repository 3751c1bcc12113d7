// When arguments are read, and what becomes of those that change or throw meanwhile.
const { subtle } = crypto;
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const thrown = (promise) => promise.then(() => "done", (error) => `${error.name}: ${error.message}`);

export default async () => {
  const key = await subtle.importKey("raw", new Uint8Array(16), "AES-CBC", true, ["encrypt"]);
  const iv = new Uint8Array(16);
  const results = {};
  const boom = { get name() { throw new RangeError("boom"); } };
  results.throws = await thrown(subtle.digest(boom, iv));
  results.later = await thrown(subtle.encrypt({ name: "AES-CBC", get iv() { throw new RangeError("iv"); } }, key, iv));
  // Read in the order of the standard, each once.
  const order = [];
  const spied = new Proxy({ name: "PBKDF2", salt: iv, iterations: 1, hash: new Proxy({ name: "SHA-1" }, { get: (t, k) => (order.push(`hash.${k}`), t[k]) }) },
    { get: (target, k) => (order.push(k), target[k]) });
  await subtle.deriveBits(spied, await subtle.importKey("raw", iv, "PBKDF2", false, ["deriveBits"]), 8);
  results.order = order.join(" ");
  // Data are copied after the algorithm has been read, and before anything else can happen.
  const changed = new Uint8Array(3);
  const during = subtle.digest({ get name() { changed.fill(1); return "SHA-1"; } }, changed);
  changed.fill(2);
  results.copied = hex(await during) === hex(await subtle.digest("SHA-1", new Uint8Array([1, 1, 1])));
  const vector = new Uint8Array(16).fill(1);
  const sealing = subtle.encrypt({ name: "AES-CBC", iv: vector }, key, iv);
  vector.fill(9);
  results.vector = hex(await sealing) === hex(await subtle.encrypt({ name: "AES-CBC", iv: new Uint8Array(16).fill(1) }, key, iv));
  // A detached buffer is empty, whichever view it has.
  const empty = hex(await subtle.digest("SHA-1", new Uint8Array(0)));
  const detached = [];
  for (const make of [(b) => b, (b) => new Uint8Array(b), (b) => new DataView(b), (b) => new Uint32Array(b, 4, 1)]) {
    const buffer = new ArrayBuffer(16);
    const view = make(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    detached.push(hex(await subtle.digest("SHA-1", view)) === empty);
  }
  const buffer = new ArrayBuffer(16);
  const gone = subtle.digest({ get name() { structuredClone(buffer, { transfer: [buffer] }); return "SHA-1"; } }, new Uint8Array(buffer));
  detached.push(hex(await gone) === empty);
  results.detached = detached.every(Boolean);
  results.view = hex(await subtle.digest("SHA-1", new Uint8Array([9, 97, 98, 99, 9]).subarray(1, 4))) === "a9993e364706816aba3e25717850c26c9cd0d89d";
  // What the guest is shown is made for it, and the same each time.
  results.shown = [key.usages === key.usages, key.algorithm === key.algorithm, JSON.stringify(key.algorithm), Object.prototype.toString.call(key)];
  const rsa = await subtle.generateKey({ name: "RSA-OAEP", modulusLength: 512, publicExponent: new Uint8Array([3]), hash: "SHA-1" }, true, ["wrapKey", "decrypt"]);
  const { algorithm, usages } = rsa.publicKey;
  results.rsa = [algorithm.modulusLength, algorithm.publicExponent[0], algorithm.hash.name, usages, rsa.privateKey.usages, rsa.publicKey.extractable];
  // What is wrong with the algorithm is told at once, all else a microtask later.
  const told = async (act) => {
    let later = false;
    const ended = act().then(() => later, () => later);
    Promise.resolve().then(() => { later = true; });
    return await ended;
  };
  const generate = (length, uses) => () => subtle.generateKey({ name: "AES-GCM", length }, true, uses);
  results.later = [results.later, await told(generate(100, ["encrypt"])), await told(generate(128, ["sign"])), await told(generate(100, ["sign"])),
    await told(generate(128, [])), await told(() => subtle.exportKey("raw", key)), await told(() => subtle.digest("MD5", iv))];
  // A clone and a message are keys of their own; a ticket that was not given is none.
  const channel = new MessageChannel();
  const received = new Promise((resolve) => { channel.port2.onmessage = (event) => resolve(event.data); });
  channel.port1.postMessage({ keys: [key] });
  const clones = [structuredClone(key), (await received).keys[0]];
  results.clones = clones.map((clone) => clone !== key && clone instanceof CryptoKey && clone.extractable && clone.usages.join());
  const forged = { [Symbol.for("Deno.core.hostObject")]: () => ({ type: "CryptoKey", ticket: 999 }) };
  try { structuredClone(forged); results.forged = "cloned"; } catch (error) { results.forged = error.name; }
  return results;
};
