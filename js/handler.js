// Worker-style handlers: a Request goes in, a Response comes out. A run that is not an HTTP exchange of its own has them as JSON.

(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  ArrayPrototypePush,
  ArrayPrototypeSome,
  DateNow,
  JSONStringify,
  ObjectDefineProperty,
  ObjectFreeze,
  ObjectHasOwn,
  ReflectApply,
  StringPrototypeToLowerCase,
  TypedArrayPrototypeGetByteLength,
  TypeError,
  uncurryThis,
} = primordials;
const { Request } = core.loadExtScript("ext:deno_fetch/23_request.js");
const { toInnerResponse } = core.loadExtScript("ext:deno_fetch/23_response.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const { TextDecoder } = core.loadExtScript("ext:deno_web/08_text_encoding.js");
const { forgivingBase64Decode, forgivingBase64EncodeFromBuffer } = core.loadExtScript("ext:deno_web/00_infra.js");

// Where a request of which only the path is told was sent to.
const BASE = "http://localhost/";
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const decode = uncurryThis(TextDecoder.prototype.decode);

const isObject = (value) => value !== null && typeof value === "object";

function bodyOf(body) {
  if (body === undefined || body === null || typeof body === "string") return body ?? null;
  if (isObject(body) && typeof body.base64 === "string") return forgivingBase64Decode(body.base64);
  throw new TypeError("input.body is neither text nor {\"base64\": text}: send data as JSON.stringify(data)");
}

// The parts of a request that an input may name.
const PARTS = ["method", "url", "headers", "body"];

// The Request of a run whose input is `{ method, url, headers, body }`, each of which may be left out. An object that names none of them is data: the
// body of a POST.
function requestOf(input) {
  const given = input === null || input === undefined ? {} : input;
  if (!isObject(given) || ArrayIsArray(given)) {
    throw new TypeError("the input of a handler is an object: {\"method\": text, \"url\": text, \"headers\": object, \"body\": text}");
  }
  if (given === input && !ArrayPrototypeSome(PARTS, (part) => ObjectHasOwn(given, part))) {
    return new Request(BASE, { method: "POST", headers: { "content-type": "application/json" }, body: JSONStringify(given) });
  }
  const { method = "GET", url = "/", headers = {}, body } = given;
  return new Request(new URL(url, BASE), { method, headers, body: bodyOf(body) });
}

// Headers as an object; those that may come more than once and cannot be joined are lists.
function headersOf(list) {
  const headers = {};
  for (let i = 0; i < list.length; i++) {
    const name = StringPrototypeToLowerCase(list[i][0]);
    const value = list[i][1];
    const before = headers[name];
    let now = value;
    if (name === "set-cookie") {
      now = before ?? [];
      ArrayPrototypePush(now, value);
    } else if (before !== undefined) now = `${before}, ${value}`;
    ObjectDefineProperty(headers, name, { __proto__: null, value: now, writable: true, enumerable: true, configurable: true });
  }
  return headers;
}

function textOf(bytes) {
  if (typeof bytes === "string") return bytes;
  try {
    return decode(strict, bytes);
  } catch {
    return { base64: forgivingBase64EncodeFromBuffer(bytes, 0, TypedArrayPrototypeGetByteLength(bytes)) };
  }
}

function innerOf(response) {
  const inner = isObject(response) ? toInnerResponse(response) : undefined;
  if (inner === undefined) throw new TypeError("a handler's `fetch` returns a Response, as in `return new Response(\"hello\")`");
  if (inner.type === "error") throw new TypeError("the handler returned Response.error(), which cannot be sent: return a Response with a status");
  return inner;
}

// What the caller of a run gets of a Response: `{ status, headers, body }`.
async function reduceResponse(response) {
  const inner = innerOf(response);
  const bytes = inner.body === null ? "" : await inner.body.consume();
  return { status: inner.status, headers: headersOf(inner.headerList), body: textOf(bytes) };
}

// What `scheduled` is called with: the time and the pattern that the input names.
function controllerOf(input) {
  const given = isObject(input) ? input : {};
  const scheduledTime = typeof given.scheduledTime === "number" ? given.scheduledTime : DateNow();
  const { noRetry } = { noRetry() {} };
  return ObjectFreeze({ cron: typeof given.cron === "string" ? given.cron : "", noRetry, scheduledTime });
}

// How the methods of a handler object are called, by their names.
const METHODS = {
  __proto__: null,
  fetch: async (handler, method, input, env, ctx) => reduceResponse(await ReflectApply(method, handler, [requestOf(input), env, ctx])),
  scheduled: (handler, method, input, env, ctx) => ReflectApply(method, handler, [controllerOf(input), env, ctx]),
  tail: (handler, method, input, env, ctx) => ReflectApply(method, handler, [input, env, ctx]),
};

return { innerOf, METHODS };
})();
