// Bytes, without a look at anything that the guest could have replaced: no species, no iterator, no method of a prototype.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_random } = core.ops;
const {
  ArrayBufferIsView,
  ArrayBufferPrototypeGetByteLength,
  DataViewPrototypeGetBuffer,
  DataViewPrototypeGetByteLength,
  DataViewPrototypeGetByteOffset,
  MathCeil,
  MathMin,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypedArrayPrototypeSet,
  Uint8Array,
} = primordials;

// Most bytes that one call of the op gives. Source: `QUOTA_BYTES` in ops/src/random.rs.
const RANDOM_BYTES_MAX = 65536;

// A copy of what a buffer or a view holds; nothing where the guest has detached it.
function copyOf(source) {
  let buffer = source;
  let view = null;
  if (ArrayBufferIsView(source)) {
    const typed = TypedArrayPrototypeGetSymbolToStringTag(source) !== undefined;
    buffer = typed ? TypedArrayPrototypeGetBuffer(source) : DataViewPrototypeGetBuffer(source);
    view = typed ? [TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetByteLength] : [DataViewPrototypeGetByteOffset, DataViewPrototypeGetByteLength];
  }
  if (ArrayBufferPrototypeGetByteLength(buffer) === 0) return new Uint8Array(0);
  return new Uint8Array(view === null ? new Uint8Array(buffer) : new Uint8Array(buffer, view[0](source), view[1](source)));
}

const lengthOf = TypedArrayPrototypeGetByteLength;
const bufferOf = TypedArrayPrototypeGetBuffer;

// A copy of `bytes` from `from` up to `to`, in a buffer of its own.
function slice(bytes, from, to) {
  return new Uint8Array(new Uint8Array(bufferOf(bytes), TypedArrayPrototypeGetByteOffset(bytes) + from, to - from));
}

// `bytes` with `more` zero bytes behind them.
function extended(bytes, more) {
  const longer = new Uint8Array(lengthOf(bytes) + more);
  TypedArrayPrototypeSet(longer, bytes);
  return longer;
}

// The first `bits` bits; those that are left of the last byte are zero.
function firstBits(bytes, bits) {
  const length = MathCeil(bits / 8);
  const first = slice(bytes, 0, length);
  if (bits % 8 !== 0) first[length - 1] &= 0xff << (8 - bits % 8);
  return first;
}

function equal(one, other) {
  const length = lengthOf(one);
  if (length !== lengthOf(other)) return false;
  for (let i = 0; i < length; i++) {
    if (one[i] !== other[i]) return false;
  }
  return true;
}

function random(length) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_BYTES_MAX) {
    op_cordon_random(new Uint8Array(bufferOf(bytes), at, MathMin(RANDOM_BYTES_MAX, length - at)));
  }
  return bytes;
}

return { bufferOf, copyOf, equal, extended, firstBits, lengthOf, random, slice };
})();
