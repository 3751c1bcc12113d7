// The global object as an event target: what nobody caught is an event first, and ends the run when no listener has taken care of it.

(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, ObjectSetPrototypeOf, SymbolToStringTag, TypeError, uncurryThis } = primordials;
const webidl = core.loadExtScript("ext:deno_webidl/00_webidl.js");
const event = core.loadExtScript("ext:deno_web/02_event.js");

const USER_AGENT = "Cordon";
// Taken now: the guest may replace the method later.
const dispatch = uncurryThis(event.EventTarget.prototype.dispatchEvent);

class WorkerGlobalScope extends event.EventTarget {
  constructor() {
    throw new TypeError("Illegal constructor");
  }
}
ObjectDefineProperty(WorkerGlobalScope.prototype, SymbolToStringTag, { __proto__: null, value: "WorkerGlobalScope", configurable: true });

let navigator;
class Navigator {
  #genuine = true;
  constructor() {
    if (navigator !== undefined) throw new TypeError("Illegal constructor");
  }
  get userAgent() {
    this.#genuine;
    return USER_AGENT;
  }
}
ObjectDefineProperty(Navigator.prototype, SymbolToStringTag, { __proto__: null, value: "Navigator", configurable: true });
ObjectDefineProperty(Navigator.prototype, "userAgent", { __proto__: null, enumerable: true });
navigator = new Navigator();

// Says whether a listener has taken care of the rejection.
function dispatchRejection(target, type, promise, reason, cancelable) {
  if (event.listenerCount(target, type) === 0) return false;
  const told = new event.PromiseRejectionEvent(type, { cancelable, promise, reason });
  return dispatch(target, told) === false;
}

// `uncaught` ends the run with what nobody took care of.
function install(target, uncaught) {
  ObjectSetPrototypeOf(target, WorkerGlobalScope.prototype);
  target[webidl.brand] = webidl.brand;
  event.setEventTargetData(target);
  event.saveGlobalThisReference(target);
  for (const name of ["error", "unhandledrejection", "rejectionhandled"]) event.defineEventHandler(target, name, undefined, name === "error");
  core.setUnhandledPromiseRejectionHandler((promise, reason) =>
    dispatchRejection(target, "unhandledrejection", promise, reason, true) || uncaught(reason));
  core.setHandledPromiseRejectionHandler((promise, reason) => { dispatchRejection(target, "rejectionhandled", promise, reason, false); });
  // Making an event of an error reads all of the error, which nobody needs when no listener is there.
  core.setReportExceptionCallback((error) => { event.listenerCount(target, "error") > 0 ? event.reportException(error) : uncaught(error); });
  // What no listener took; the runtime's own way would end its event loop without a word.
  core.reportUnhandledException = (error) => { uncaught(error); };
}

return { install, Navigator, navigator, USER_AGENT };
})();
