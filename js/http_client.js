// Stands where deno_fetch expects its own HTTP client: requests ask whether one was given to them, and none ever is.

(function () {
const { ObjectFreeze } = __bootstrap.primordials;
return { HttpClientPrototype: ObjectFreeze({ __proto__: null }) };
})();
