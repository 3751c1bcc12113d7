// Known answers: RFC 5869 A.1, RFC 6070, RFC 4231 case 2, RFC 3394 4.1, RFC 8032 test 2, RFC 7748 6.1, SP 800-38A F.2.1 and FIPS 180.
const { subtle } = crypto;
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
const text = (string) => new TextEncoder().encode(string);
const raw = (data, algorithm, usages, extractable = false) => subtle.importKey("raw", data, algorithm, extractable, usages);

export default async () => {
  const answers = {};
  answers.digest = hex(await subtle.digest("SHA-256", text("abc")));
  const password = await raw(text("password"), "PBKDF2", ["deriveBits"]);
  answers.pbkdf2 = hex(await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-1", salt: text("salt"), iterations: 4096 }, password, 160));
  const input = await raw(new Uint8Array(22).fill(0x0b), "HKDF", ["deriveBits", "deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: bytes("000102030405060708090a0b0c"), info: bytes("f0f1f2f3f4f5f6f7f8f9") };
  answers.hkdf = hex(await subtle.deriveBits(hkdf, input, 336));
  const derived = await subtle.deriveKey(hkdf, input, { name: "HMAC", hash: "SHA-256", length: 256 }, true, ["sign"]);
  answers.derived = hex(await subtle.exportKey("raw", derived));
  const jefe = await raw(text("Jefe"), { name: "HMAC", hash: "SHA-256" }, ["sign"]);
  answers.hmac = hex(await subtle.sign("HMAC", jefe, text("what do ya want for nothing?")));
  const kek = await raw(bytes("000102030405060708090a0b0c0d0e0f"), "AES-KW", ["wrapKey"]);
  const inner = await raw(bytes("00112233445566778899aabbccddeeff"), "AES-CBC", ["encrypt"], true);
  answers.kw = hex(await subtle.wrapKey("raw", inner, kek, "AES-KW"));
  const cbc = await raw(bytes("2b7e151628aed2a6abf7158809cf4f3c"), "AES-CBC", ["encrypt"]);
  const iv = bytes("000102030405060708090a0b0c0d0e0f");
  answers.cbc = hex(await subtle.encrypt({ name: "AES-CBC", iv }, cbc, bytes("6bc1bee22e409f96e93d7e117393172a"))).slice(0, 32);
  const okp = { kty: "OKP", crv: "Ed25519", d: "TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs", x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" };
  const ed = await subtle.importKey("jwk", okp, "Ed25519", false, ["sign"]);
  answers.ed25519 = hex(await subtle.sign("Ed25519", ed, bytes("72")));
  const pkcs8 = (key) => bytes(`302e020100300506032b656e04220420${key}`);
  const alice = await subtle.importKey("pkcs8", pkcs8("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"), "X25519", false, ["deriveBits"]);
  const bob = await raw(bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), "X25519", []);
  answers.x25519 = hex(await subtle.deriveBits({ name: "X25519", public: bob }, alice, 256));
  return answers;
};
