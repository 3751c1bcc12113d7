import { chunk, cloneDeep, debounce, groupBy, isEqual, kebabCase, merge, orderBy, set, template, throttle } from "lodash-es";
import { Checks } from "./check.js";

export default async () => {
  const checks = new Checks();
  const rows = [{ k: "a", n: 2 }, { k: "b", n: 1 }, { k: "a", n: 1 }];
  checks.equal("groups", groupBy(rows, "k").a.length, 2);
  checks.equal("an order", orderBy(rows, ["k", "n"], ["desc", "asc"]).map((row) => row.k + row.n), ["b1", "a1", "a2"]);
  checks.equal("chunks", chunk([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  const deep = { map: new Map([[1, { a: [/x/g, new Date(3)] }]]), bytes: new Uint8Array([1]) };
  checks.equal("a deep copy", [isEqual(cloneDeep(deep), deep), cloneDeep(deep).map.get(1) === deep.map.get(1)], [true, false]);
  checks.equal("a merge", merge({}, { a: { b: 1 } }, { a: { c: 2 } }), { a: { b: 1, c: 2 } });
  checks.equal("no way to the prototype", [set({}, "__proto__.polluted", 1).polluted, {}.polluted], [undefined, undefined]);
  checks.equal("words", kebabCase("fooBar bazQUX"), "foo-bar-baz-qux");
  let calls = 0;
  const late = debounce(() => calls++, 2), some = throttle(() => calls += 10, 50, { trailing: false });
  late(), late(), some(), some();
  await new Promise((resolve) => setTimeout(resolve, 20));
  checks.equal("debounced and throttled", calls, 11);
  await checks.throws("templates make code of text, which is off", () => template("x"), /^EvalError: Function is off/);
  return checks.report;
};
