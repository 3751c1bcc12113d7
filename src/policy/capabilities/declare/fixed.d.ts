/** What `fetch` rejects with when a request is denied. */
interface EgressDenied extends TypeError {
  readonly code: "egressDenied";
  /** `egress` or `secret`. */
  readonly capability: string;
  /** What was asked for. */
  readonly target: string;
  /** The rule that decided. */
  readonly rule: string;
  /** What to do about it. */
  readonly remediation: string;
}

/** `ctx`, the third parameter. Frozen. */
interface Ctx {
  /** Keeps the run going until `promise` has settled; a rejection is logged. */
  waitUntil(promise: Promise<unknown>): void;
  /** The run's id. */
  readonly run: string;
}

/** Data that JSON holds. */
type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Answers a Request: the client's behind `/w/`, elsewhere the one that the input `{method, url, headers, body}` tells of. */
interface FetchHandler {
  fetch(request: Request, env: Env, ctx: Ctx): Response | Promise<Response>;
}

/**
 * What a module exports by default: the result, what is called with the run's input, or what answers a Request.
 * Write `export default ((input, env, ctx) => …) satisfies Handler` or `export default { … } satisfies Handler`.
 */
type Handler<Input = any, Result = unknown> =
  | JsonValue
  | ((input: Input, env: Env, ctx: Ctx) => Result | Promise<Result>)
  | FetchHandler;
