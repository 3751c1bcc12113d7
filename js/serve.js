// A run that serves one HTTP request: the request comes from the supervisor, the Response goes there, and their bodies piece by piece.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_output_bytes_max, op_cordon_serve, op_cordon_too_long } = core.ops;
const {
  ArrayPrototypeMap,
  ObjectPrototypeIsPrototypeOf,
  Promise,
  PromisePrototypeThen,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypeError,
} = primordials;
const { ReadableStreamPrototype } = core.loadExtScript("ext:deno_web/06_streams.js");
const { Request } = core.loadExtScript("ext:deno_fetch/23_request.js");
const { listen, Receiver, Sender } = core.loadExtScript("ext:cordon/wire.js");

// The two bodies' exchanges. Source: `SERVED_REQUEST` and `SERVED_ANSWER` in src/model/exchange.rs.
const REQUEST = 0;
const ANSWER = 1;

const ignore = () => {};

// The body of the request, as a stream.
function incoming() {
  const receiver = new Receiver(REQUEST, () => listen(REQUEST, null), false);
  listen(REQUEST, { __proto__: null, piece: (length, last) => receiver.piece(length, last), broken: (error) => receiver.broke(error) });
  return receiver.stream;
}

// The Request that `{ method, url, headers, body }` tells of.
function requestOf({ method, url, headers, body }) {
  const mayHaveBody = method !== "GET" && method !== "HEAD";
  const init = { __proto__: null, method, headers };
  if (body && mayHaveBody) {
    init.body = incoming();
    init.duplex = "half";
  }
  return new Request(url, init);
}

function sourceOf(body) {
  const source = body.streamOrStatic;
  if (ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, source)) return source;
  if (typeof source.body === "string") return core.encode(source.body);
  return TypedArrayPrototypeGetSymbolToStringTag(source.body) === "Uint8Array" ? source.body : body.stream;
}

// Sends `source`; resolves once all of it is sent, or the run is over for its length.
function outgoing(source) {
  const most = op_cordon_output_bytes_max();
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const over = (settle) => (value) => {
      listen(ANSWER, null);
      settle(value);
    };
    const done = over(resolve);
    const failed = over(reject);
    const passes = (length, last) => {
      bytes += length;
      if (bytes > most) op_cordon_too_long(bytes);
      else if (last) done();
      return bytes <= most;
    };
    const sender = new Sender(ANSWER, source, failed, passes);
    listen(ANSWER, { __proto__: null, wanted: () => sender.wanted(), broken: failed });
  });
}

// Answers with `inner`, a Response's inside. What is returned settles when its body is sent; null when it has none.
function respond(inner, method) {
  const headers = ArrayPrototypeMap(inner.headerList, (pair) => [pair[0], pair[1]]);
  const body = method === "HEAD" ? null : inner.body;
  if (body !== null && body.unusable()) throw new TypeError("the Response's body was read already: return a Response that nobody has read");
  const sent = body === null ? null : outgoing(sourceOf(body));
  // Whoever awaits it sees the failure; until then it is not one that nobody handles.
  if (sent !== null) PromisePrototypeThen(sent, ignore, ignore);
  op_cordon_serve(inner.status, headers, body !== null);
  return sent;
}

return { requestOf, respond };
})();
