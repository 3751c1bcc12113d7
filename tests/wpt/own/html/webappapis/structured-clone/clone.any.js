test(() => {
  const cycle = { map: new Map([[1, new Set([2n])]]), date: new Date(3), re: /x/gi, error: new RangeError("r"), list: [, 1] };
  cycle.self = cycle;
  const copy = structuredClone(cycle);
  assert_equals(copy.self, copy);
  assert_true(copy.map.get(1).has(2n));
  assert_equals(`${copy.date.getTime()} ${copy.re} ${copy.error.name} ${0 in copy.list}`, "3 /x/gi RangeError false");
  const buffer = new ArrayBuffer(8);
  assert_equals(structuredClone(buffer, { transfer: [buffer] }).byteLength + buffer.byteLength, 8);
}, "cycles, collections, errors and transfers");

for (const [name, value] of Object.entries({ function: () => {}, symbol: Symbol(), weak: new WeakMap(), promise: Promise.resolve(), response: new Response() })) {
  test(() => assert_throws_dom("DataCloneError", () => structuredClone({ value })), `a ${name} is not cloned`);
}
