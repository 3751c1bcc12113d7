// Buffers whose memory the host counts.
//
// Deviation: resizable buffers are refused. V8 takes their pages past the allocator that counts a run's memory, so
// `maxByteLength` would be a way around the memory limit. Everything else of ArrayBuffer is V8's own.

(function () {
const { primordials } = __bootstrap;
const {
  ArrayBuffer: Native,
  ArrayBufferPrototype,
  ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptors,
  RangeError,
  ReflectConstruct,
  ReflectOwnKeys,
  TypeError,
} = primordials;

function install(target) {
  const { ArrayBuffer } = {
    ArrayBuffer: function (length, options = undefined) {
      if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'");
      if (options !== null && (typeof options === "object" || typeof options === "function") && options.maxByteLength !== undefined) {
        throw new RangeError("Resizable buffers are not available: leave maxByteLength out and make a new buffer to grow");
      }
      return ReflectConstruct(Native, [length], new.target);
    },
  };
  const own = ObjectGetOwnPropertyDescriptors(Native);
  const keys = ReflectOwnKeys(own);
  for (let i = 0; i < keys.length; i++) ObjectDefineProperty(ArrayBuffer, keys[i], { __proto__: null, ...own[keys[i]] });
  const hidden = { __proto__: null, value: ArrayBuffer, writable: true, enumerable: false, configurable: true };
  ObjectDefineProperty(ArrayBufferPrototype, "constructor", hidden);
  ObjectDefineProperty(target, "ArrayBuffer", hidden);
}

return { install };
})();
