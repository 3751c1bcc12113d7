// Everything that guest code can reach without calling anything: own keys of whatever kind, prototypes, and both halves of accessors,
// from the global object, from what the run is given, and from what only syntax leads to.
export default (input, env, ctx) => {
  const places = new Map();
  const queue = [];
  const enter = (value, place) => {
    if (value === null || (typeof value !== "object" && typeof value !== "function") || places.has(value)) return;
    places.set(value, place);
    queue.push(value);
  };
  const spell = (key) => typeof key === "symbol" ? `[${key.description}]` : key;
  const roots = {
    globalThis,
    env,
    ctx,
    importMeta: import.meta,
    sloppyArguments: (function () { return arguments; })(),
    asyncFunction: async function () {},
    generator: (function* () {})(),
    asyncGenerator: (async function* () {})(),
    arrayIterator: [].values(),
    mapIterator: new Map().entries(),
    setIterator: new Set().values(),
    stringIterator: ""[Symbol.iterator](),
    regExpIterator: "".matchAll(/x/g),
    wrappedIterator: Iterator.from({ next() {} }),
    iteratorHelper: [].values().map((x) => x),
    segments: new Intl.Segmenter().segment("")[Symbol.iterator](),
    template: ((strings) => strings)`x`,
    error: new Error("x"),
    timer: setTimeout(() => {}, 0),
    searchIterator: new URLSearchParams("a=b").entries(),
    signal: new AbortController().signal,
    domException: new DOMException("x"),
    promise: Promise.resolve(),
    importPromise: import("./main.ts"),
  };
  for (const [place, value] of Object.entries(roots)) enter(value, place);
  const lines = [];
  for (const value of queue) {
    const place = places.get(value);
    const keys = [];
    for (const key of Reflect.ownKeys(value)) {
      const property = Reflect.getOwnPropertyDescriptor(value, key);
      const path = `${place}.${spell(key)}`;
      if ("value" in property) {
        keys.push(spell(key));
        enter(property.value, path);
      } else {
        keys.push(`${spell(key)}{${property.get ? "get" : ""}${property.set ? "set" : ""}}`);
        enter(property.get, `${path}{get}`);
        enter(property.set, `${path}{set}`);
      }
    }
    enter(Reflect.getPrototypeOf(value), `${place}.__proto__`);
    // A function with nothing but its name and length is named by the line of what holds it.
    const plain = typeof value === "function" && keys.sort().join() === "length,name" && Reflect.getPrototypeOf(value) === Function.prototype;
    if (!plain) lines.push(`${place}: ${keys.sort().join(" ")}`);
  }
  return lines.sort();
};
