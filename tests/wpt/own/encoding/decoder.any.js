test(() => {
  assert_equals(new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xff])), "a\ufffd");
  assert_equals(new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf])), "\ufeff");
  assert_throws_js(TypeError, () => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xc0])));
  assert_throws_js(RangeError, () => new TextDecoder("nonsense"));
  assert_equals(new TextDecoder("latin1").encoding, "windows-1252");
  assert_equals(new TextDecoder("shift_jis").decode(new Uint8Array([0x83, 0x65])), "テ");
}, "bytes become text by the label's rules");

test(() => {
  const decoder = new TextDecoder();
  const bytes = new TextEncoder().encode("€");
  assert_equals(decoder.decode(bytes.subarray(0, 1), { stream: true }), "");
  assert_equals(decoder.decode(bytes.subarray(1), { stream: true }) + decoder.decode(), "€");
  assert_object_equals(new TextEncoder().encodeInto("a€", new Uint8Array(3)), { read: 1, written: 1 });
}, "a character over a border of pieces");
