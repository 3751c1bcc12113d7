// JSON Web Keys, RFC 7517 and 7518. A key that is wrapped or unwrapped as one never is an object with a prototype: a getter or a toJSON
// that the guest has put there would be handed the key.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_subtle_bytes, op_cordon_subtle_text } = core.ops;
const {
  JSONParse,
  JSONStringify,
  ObjectDefineProperty,
  ObjectHasOwn,
  ObjectSetPrototypeOf,
} = primordials;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const { dataError, notSupported } = core.loadExtScript("ext:cordon/subtle/errors.js");
const { USAGE, usageNames, USAGES } = core.loadExtScript("ext:cordon/subtle/key.js");

const text = webidl.converters.DOMString;
const optional = (key, converter = text) => ({ key, converter });
const otherPrimes = webidl.createSequenceConverter(
  webidl.createDictionaryConverter("RsaOtherPrimesInfo", [optional("r"), optional("d"), optional("t")]),
);
const convert = webidl.createDictionaryConverter("JsonWebKey", [
  optional("kty"),
  optional("use"),
  optional("key_ops", webidl.converters["sequence<DOMString>"]),
  optional("alg"),
  optional("ext", webidl.converters.boolean),
  optional("crv"),
  optional("x"),
  optional("y"),
  optional("d"),
  optional("n"),
  optional("e"),
  optional("p"),
  optional("q"),
  optional("dp"),
  optional("dq"),
  optional("qi"),
  optional("oth", otherPrimes),
  optional("k"),
]);

// Refuses what contradicts what is asked of the key.
function check(jwk, kty, use, extractable, usages) {
  if (jwk.kty !== kty) throw dataError(`The member \`kty\` of the JWK must be ${kty}`);
  if (usages !== 0 && jwk.use !== undefined && jwk.use !== use) throw dataError(`The member \`use\` of the JWK must be ${use}`);
  if (jwk.key_ops !== undefined && !covers(jwk.key_ops, usages)) {
    throw dataError("The member `key_ops` of the JWK must name each usage that is asked for, and nothing twice");
  }
  if (jwk.ext === false && extractable) throw dataError("The member `ext` of the JWK forbids an extractable key");
}

function covers(names, usages) {
  const seen = { __proto__: null };
  for (let i = 0; i < names.length; i++) {
    if (seen[names[i]] === true) return false;
    seen[names[i]] = true;
  }
  for (let i = 0; i < USAGES.length; i++) {
    if ((usages & USAGE[USAGES[i]]) !== 0 && seen[USAGES[i]] !== true) return false;
  }
  return true;
}

// The bytes of a member, which must be there.
function bytesOf(jwk, name) {
  if (jwk[name] === undefined) throw dataError(`The JWK lacks the member \`${name}\``);
  return op_cordon_subtle_bytes(jwk[name]);
}

// What every exported key says of itself.
function about(slots, kty) {
  return { __proto__: null, kty, key_ops: usageNames(slots.usages), ext: slots.extractable };
}

// For the guest: a plain object.
function toObject(jwk) {
  const object = {};
  for (const name in jwk) {
    ObjectDefineProperty(object, name, { __proto__: null, value: jwk[name], writable: true, enumerable: true, configurable: true });
  }
  return object;
}

function toBytes(jwk) {
  ObjectSetPrototypeOf(jwk.key_ops, null);
  return core.encode(JSONStringify(jwk));
}

function ofBytes(bytes) {
  const parsed = attempt(() => ObjectSetPrototypeOf(JSONParse(core.decode(bytes)), null));
  if (ObjectHasOwn(parsed, "oth")) throw notSupported("RSA keys of more than two primes are not supported");
  const jwk = attempt(() => convert(parsed));
  if (jwk.kty === undefined) throw dataError("What was unwrapped is no JWK: it lacks the member `kty`");
  return jwk;
}

function attempt(act) {
  try {
    return act();
  } catch {
    throw dataError("What was unwrapped is no JWK");
  }
}

return { about, bytesOf, check, convert, ofBytes, textOf: op_cordon_subtle_text, toBytes, toObject };
})();
