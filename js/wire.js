// The guest's exchanges with the supervisor: each has a number, and each body crosses in pieces that its reader asks for, so that neither side holds more
// than one piece. The first piece of an answer to the guest comes unasked. What is allowed is decided on the other side.

(function () {
const { core, primordials } = __bootstrap;
const { op_cordon_abandon, op_cordon_ask, op_cordon_piece, op_cordon_take, op_cordon_want } = core.ops;
const {
  JSONParse,
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeHas,
  MapPrototypeSet,
  MathMin,
  ObjectPrototypeIsPrototypeOf,
  Promise,
  PromisePrototypeThen,
  PromiseResolve,
  ReflectApply,
  SafeMap,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypedArrayPrototypeSubarray,
  TypeError,
  Uint8Array,
} = primordials;
const {
  acquireReadableStreamDefaultReader,
  createReadableByteStream,
  readableByteStreamControllerClose,
  readableByteStreamControllerEnqueue,
  readableByteStreamControllerError,
  readableByteStreamControllerRespond,
  ReadableStreamDefaultReader,
  readableStreamGetNumReadIntoRequests,
  readableStreamHasBYOBReader,
  ReadableStreamPrototype,
  readableStreamReaderGenericCancel,
} = core.loadExtScript("ext:deno_web/06_streams.js");

// What the supervisor sends. Source: `Delivery` in ops/src/port.rs.
const ANSWER = 0;
const PIECE = 1;
const LAST_PIECE = 2;
const WANT = 3;
const BROKEN = 4;
// How a request's body is sent. Source: `AskBody` there.
const NO_BODY = 0;
const WHOLE_BODY = 1;
const STREAMED_BODY = 2;
// Longest body that goes along with its request, and longest piece of any other, in bytes. Source: `PIECE_BYTES_MAX` there.
const PIECE_BYTES_MAX = 65536;
const NOTHING = new Uint8Array(0);
const { read } = ReadableStreamDefaultReader.prototype;

const exchanges = new SafeMap();

// What this side sends of exchange `id`: `source` is a Uint8Array or a stream. `passes` is asked about each piece before it is sent.
class Sender {
  #id;
  #reader = null;
  #rest = NOTHING;
  #failed;
  #passes;

  constructor(id, source, failed, passes = () => true) {
    this.#id = id;
    this.#failed = failed;
    this.#passes = passes;
    if (ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, source)) this.#reader = acquireReadableStreamDefaultReader(source);
    else this.#rest = source;
  }

  // The other side asks for the next piece.
  wanted() {
    if (TypedArrayPrototypeGetByteLength(this.#rest) > 0 || this.#reader === null) return this.#send(this.#reader === null);
    PromisePrototypeThen(ReflectApply(read, this.#reader, []), (result) => this.#took(result), (error) => this.#broke(error));
  }

  cancel(reason) {
    if (this.#reader !== null) PromisePrototypeThen(readableStreamReaderGenericCancel(this.#reader, reason), undefined, () => {});
  }

  #took({ done, value }) {
    if (done) return this.#send(true);
    if (TypedArrayPrototypeGetSymbolToStringTag(value) !== "Uint8Array") {
      const error = new TypeError("a body's stream yields Uint8Array pieces only: encode text with `new TextEncoder().encode(text)`");
      this.cancel(error);
      return this.#broke(error);
    }
    this.#rest = value;
    if (TypedArrayPrototypeGetByteLength(value) === 0) return this.wanted();
    this.#send(false);
  }

  #send(ends) {
    const length = MathMin(TypedArrayPrototypeGetByteLength(this.#rest), PIECE_BYTES_MAX);
    const piece = TypedArrayPrototypeSubarray(this.#rest, 0, length);
    this.#rest = TypedArrayPrototypeSubarray(this.#rest, length);
    const last = ends && TypedArrayPrototypeGetByteLength(this.#rest) === 0;
    if (this.#passes(length, last)) op_cordon_piece(this.#id, piece, last);
  }

  #broke(error) {
    op_cordon_abandon(this.#id);
    this.#failed(error);
  }
}

// What the other side sends of exchange `id`, as a stream of bytes. `done` is called once nothing more will come; `ahead` says that the first piece comes
// unasked.
class Receiver {
  #id;
  #done;
  #ahead;
  #controller = null;
  #pulled = null;
  stream;

  constructor(id, done, ahead) {
    this.#id = id;
    this.#done = done;
    this.#ahead = ahead;
    const start = (controller) => { this.#controller = controller; };
    this.stream = createReadableByteStream(start, () => this.#pull(), () => this.#cancel());
  }

  piece(length, last) {
    this.#ahead = false;
    try {
      if (length > 0) {
        const bytes = new Uint8Array(length);
        op_cordon_take(bytes);
        readableByteStreamControllerEnqueue(this.#controller, bytes);
      }
      if (last) this.#close();
    } catch (error) {
      if (!last) op_cordon_abandon(this.#id);
      this.broke(error);
    }
    this.#answerPull();
  }

  broke(error) {
    readableByteStreamControllerError(this.#controller, error);
    this.#done();
    this.#answerPull();
  }

  #pull() {
    if (!this.#ahead) op_cordon_want(this.#id);
    return new Promise((resolve) => { this.#pulled = resolve; });
  }

  #answerPull() {
    const pulled = this.#pulled;
    this.#pulled = null;
    if (pulled !== null) pulled();
  }

  #close() {
    readableByteStreamControllerClose(this.#controller);
    // A reader that brought its own buffer is answered with no bytes, as the standard says.
    if (readableStreamHasBYOBReader(this.stream) && readableStreamGetNumReadIntoRequests(this.stream) > 0) {
      readableByteStreamControllerRespond(this.#controller, 0);
    }
    this.#done();
  }

  #cancel() {
    op_cordon_abandon(this.#id);
    this.#done();
    return PromiseResolve(undefined);
  }
}

// One outbound request. `answer` gets what came back, `fail` why nothing did.
class Exchange {
  #id;
  #sender = null;
  #receiver = null;
  #answer;
  #fail;

  constructor(answer, fail) {
    this.#answer = answer;
    this.#fail = fail;
  }

  // Sends the request; `body` is null, a Uint8Array or a stream. Throws when the run may ask for nothing more.
  ask(method, url, headers, body, redirect) {
    const whole = body !== null && TypedArrayPrototypeGetSymbolToStringTag(body) === "Uint8Array" &&
      TypedArrayPrototypeGetByteLength(body) <= PIECE_BYTES_MAX;
    const kind = body === null ? NO_BODY : whole ? WHOLE_BODY : STREAMED_BODY;
    this.#id = op_cordon_ask(method, url, headers, kind, whole ? body : NOTHING, redirect);
    if (kind === STREAMED_BODY) this.#sender = new Sender(this.#id, body, (error) => this.broken(error));
    MapPrototypeSet(exchanges, this.#id, this);
  }

  // The guest has lost interest.
  abort(reason) {
    if (!MapPrototypeHas(exchanges, this.#id)) return;
    op_cordon_abandon(this.#id);
    this.broken(reason);
  }

  answered(head) {
    const answer = this.#answer;
    this.#answer = this.#fail = null;
    let stream = null;
    if (head.body === true) {
      this.#receiver = new Receiver(this.#id, () => this.#forget(), true);
      stream = this.#receiver.stream;
    } else this.#forget();
    if (answer !== null) answer(head, stream);
  }

  piece(length, last) {
    if (this.#receiver !== null) this.#receiver.piece(length, last);
  }

  wanted() {
    if (this.#sender !== null) this.#sender.wanted();
  }

  broken(error) {
    this.#forget();
    if (this.#sender !== null) this.#sender.cancel(error);
    if (this.#receiver !== null) this.#receiver.broke(error);
    else if (this.#fail !== null) this.#fail(error);
    this.#answer = this.#fail = null;
  }

  #forget() {
    MapPrototypeDelete(exchanges, this.#id);
  }
}

// Something came from the supervisor. What it is about may be over on this side: then nobody waits for it.
function deliver(kind, id, text, length) {
  const exchange = MapPrototypeGet(exchanges, id);
  if (exchange === undefined) return;
  switch (kind) {
    case ANSWER: return exchange.answered(JSONParse(text));
    case PIECE: return exchange.piece(length, false);
    case LAST_PIECE: return exchange.piece(length, true);
    case WANT: return exchange.wanted();
    case BROKEN: return exchange.broken(new TypeError(text));
  }
}

// From now on `exchange` is told what comes of exchange `id`; with null, nobody is.
function listen(id, exchange) {
  exchange === null ? MapPrototypeDelete(exchanges, id) : MapPrototypeSet(exchanges, id, exchange);
}

return { deliver, Exchange, listen, Receiver, Sender };
})();
