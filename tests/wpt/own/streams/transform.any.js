// META: global=window,worker,shadowrealm
"use strict";

promise_test(async (t) => {
  const doubled = ReadableStream.from([1, 2, 3]).pipeThrough(new TransformStream({ transform: (n, c) => c.enqueue(n * 2) }));
  const [left, right] = doubled.tee();
  assert_array_equals(await Array.fromAsync(left), [2, 4, 6]);
  assert_array_equals(await Array.fromAsync(right), [2, 4, 6]);
  const error = new Error("broken");
  const broken = new ReadableStream({ pull: (c) => c.error(error) });
  await promise_rejects_exactly(t, error, broken.pipeTo(new WritableStream()));
}, "pieces are piped, doubled and broken");

promise_test(async (t) => {
  const stream = new ReadableStream({ type: "bytes", pull: (c) => { c.byobRequest.view[0] = 7; c.byobRequest.respond(1); } });
  const reader = stream.getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(4));
  assert_array_equals([...value], [7]);
  await promise_rejects_js(t, TypeError, reader.read(new Uint8Array(0)));
}, "a reader brings its own buffer");
