// fetch: a Request becomes an exchange with the supervisor, and its answer a Response. Rules, addresses, redirects and secrets are the supervisor's.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_data_url } = core.ops;
const {
  ArrayPrototypeMap,
  ArrayPrototypePush,
  ArrayPrototypeSome,
  ErrorCaptureStackTrace,
  ObjectDefineProperty,
  Promise,
  PromisePrototypeThen,
  PromiseResolve,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  StringPrototypeToLowerCase,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypeError,
} = primordials;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const abort = core.loadExtScript("ext:deno_web/03_abort_signal.js");
const { InnerBody } = core.loadExtScript("ext:deno_fetch/22_body.js");
const { processUrlList, Request, toInnerRequest } = core.loadExtScript("ext:deno_fetch/23_request.js");
const { fromInnerResponse, nullBodyStatus } = core.loadExtScript("ext:deno_fetch/23_response.js");
const { USER_AGENT } = core.loadExtScript("ext:cordon/errors.js");
const { markRefused } = core.loadExtScript("ext:cordon/guard.js");
const { Exchange } = core.loadExtScript("ext:cordon/wire.js");

// What every denial of a request has as its `code`.
const CODE = "egressDenied";
// How redirects are treated. Source: `Redirect` in ops/src/port.rs.
const REDIRECT = { __proto__: null, follow: 0, manual: 1, error: 2 };

const shown = (value) => ({ __proto__: null, value, writable: true, enumerable: true, configurable: true });
const hidden = (value) => ({ __proto__: null, value, writable: true, enumerable: false, configurable: true });

// What a refused request rejects with: it says what was refused, by which rule, and what to ask for.
class EgressDenied extends TypeError {
  constructor({ capability, target, rule, reason, remediation }) {
    super(`${reason}: ${remediation} (${target})`);
    const facts = { __proto__: null, code: CODE, capability, target, rule, remediation };
    for (const name in facts) ObjectDefineProperty(this, name, shown(facts[name]));
  }
}
ObjectDefineProperty(EgressDenied.prototype, "name", hidden("EgressDenied"));

// An error that says where the guest asked, not where the host found out.
function at(error, asked) {
  const { name, message } = error;
  const text = asked === null ? "" : asked.stack;
  const frames = typeof text === "string" ? StringPrototypeSlice(text, StringPrototypeIndexOf(text, "\n")) : "";
  ObjectDefineProperty(error, "stack", hidden(`${name}: ${message}${frames}`));
  return error;
}

function denied(refusal, asked) {
  return markRefused(at(new EgressDenied(refusal), asked));
}

// The run has asked so often that not even the question is passed on; the op has recorded it.
core.registerErrorBuilder("CordonAskRefused", (message) => denied({
  capability: "egress",
  target: "any",
  rule: "egress.sub-requests",
  reason: "this run has asked for too many requests",
  remediation: message,
}, null));

// A request that failed on its way: `code` says how, such as `timeout`.
function failed({ code, message }, asked) {
  const error = new TypeError(`fetch failed: ${message}`);
  ObjectDefineProperty(error, "code", shown(code));
  return at(error, asked);
}

function bodyOf(request) {
  if (request.body === null) return null;
  const source = request.body.streamOrStatic;
  if (typeof source.body === "string") return core.encode(source.body);
  if (TypedArrayPrototypeGetSymbolToStringTag(source.body) === "Uint8Array") return source.body;
  return source;
}

function headersOf(request) {
  const list = ArrayPrototypeMap(request.headerList, (pair) => [pair[0], pair[1]]);
  const defaults = [["accept", "*/*"], ["accept-language", "*"], ["user-agent", USER_AGENT]];
  for (let i = 0; i < defaults.length; i++) {
    const name = defaults[i][0];
    if (!ArrayPrototypeSome(list, (pair) => StringPrototypeToLowerCase(pair[0]) === name)) ArrayPrototypePush(list, defaults[i]);
  }
  return list;
}

// `body` is a stream, text or bytes that nobody has read yet, or null for an empty one.
function responseOf(request, head, body) {
  const urls = processUrlList(request.urlList, request.urlListProcessed);
  const urlList = head.redirected ? [urls[0], head.url] : [urls[0]];
  const empty = nullBodyStatus(head.status) || request.method === "HEAD";
  return {
    aborted: false,
    body: empty ? null : new InnerBody(body),
    headerList: head.headers,
    status: head.status,
    statusMessage: head.statusText,
    type: "basic",
    url() { return this.urlList.length === 0 ? null : this.urlList[this.urlList.length - 1]; },
    urlList,
  };
}

// What needs nobody else: a blob of this run, or data that is in the URL itself.
function local(request, url) {
  const found = (headers, body) =>
    responseOf(request, { status: 200, statusText: "OK", headers, redirected: false }, body);
  const blob = request.blobUrlEntry;
  if (blob !== null) {
    if (request.method !== "GET") throw new TypeError("fetch failed: a blob: URL takes the method GET only");
    return found([["content-length", `${blob.size}`], ["content-type", blob.type]], blob.stream());
  }
  const scheme = StringPrototypeSlice(url, 0, StringPrototypeIndexOf(url, ":"));
  if (scheme === "blob") throw new TypeError("fetch failed: this blob: URL leads to nothing, or to nothing any more");
  if (scheme !== "data") return null;
  const data = op_cordon_data_url(url);
  return found([["content-type", data[0]]], { body: data[1], consumed: false });
}

function send(request, signal, resolve, reject) {
  const asked = { __proto__: null };
  ErrorCaptureStackTrace(asked, fetch);
  let aborted;
  const settle = (act) => (value, more) => {
    signal[abort.remove](aborted);
    act(value, more);
  };
  const answer = (head, stream) => {
    if (head.denied !== undefined) return reject(denied(head.denied, asked));
    if (head.failed !== undefined) return reject(failed(head.failed, asked));
    // The signal ends the body as well, so it stays.
    if (stream !== null) signal[abort.add](aborted);
    resolve(fromInnerResponse(responseOf(request, head, stream), "immutable"));
  };
  const exchange = new Exchange(settle(answer), settle(reject));
  aborted = () => exchange.abort(signal.reason);
  exchange.ask(request.method, request.currentUrl(), headersOf(request), bodyOf(request), REDIRECT[request.redirectMode]);
  signal[abort.add](aborted);
}

// Defined as a method so that it is no constructor.
const { fetch } = {
  fetch(input, init = undefined) {
    return new Promise((resolve, reject) => {
      webidl.requiredArguments(arguments.length, 1, "Failed to execute 'fetch'");
      const given = new Request(input, init);
      const { signal } = given;
      const request = toInnerRequest(given);
      if (signal.aborted) {
        const body = request.body;
        if (body !== null && !body.streamOrStatic.locked) body.cancel(signal.reason);
        return reject(signal.reason);
      }
      const here = local(request, request.currentUrl());
      if (here !== null) {
        // Not at once, so that whoever asked can still lose interest.
        const settle = () => signal.aborted ? reject(signal.reason) : resolve(fromInnerResponse(here, "immutable"));
        return PromisePrototypeThen(PromiseResolve(undefined), settle);
      }
      send(request, signal, resolve, reject);
    });
  },
};

return { fetch };
})();
