test(() => {
  assert_throws_dom("TypeMismatchError", () => crypto.getRandomValues(new Float32Array(4)));
  assert_throws_quotaexceedederror(() => crypto.getRandomValues(new Uint8Array(65537)), null, null);
  const bytes = new Uint8Array(64);
  assert_equals(crypto.getRandomValues(bytes), bytes);
  assert_true(bytes.some((byte) => byte !== 0));
  assert_regexp_match(crypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
}, "random values and identifiers");
