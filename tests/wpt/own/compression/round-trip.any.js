// META: timeout=long
const text = "hello ".repeat(2000);
for (const format of ["gzip", "deflate", "deflate-raw"]) {
  promise_test(async (t) => {
    const packed = await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream(format))).bytes();
    assert_less_than(packed.length, 200);
    const unpack = (bytes) => new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format))).text();
    assert_equals(await unpack(packed), text);
    await promise_rejects_js(t, TypeError, unpack(packed.subarray(0, packed.length - 9)));
  }, `${format} there and back, and cut off`);
}
test(() => assert_throws_js(TypeError, () => new CompressionStream("zip")), "a format that is none");
