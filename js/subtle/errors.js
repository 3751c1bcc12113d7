// The exceptions of crypto.subtle, by the standard's names. Each message says what would be right.

(function () {
const { core } = __bootstrap;
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

const make = (name) => (message) => new DOMException(message, name);
const dataError = make("DataError");
const invalidAccess = make("InvalidAccessError");
const notSupported = make("NotSupportedError");
const operationError = make("OperationError");
const syntaxError = make("SyntaxError");

// Source of the classes: `Fault` in ops/src/subtle/mod.rs.
core.registerErrorBuilder("CordonSubtleData", dataError);
core.registerErrorBuilder("CordonSubtleOperation", operationError);
core.registerErrorBuilder("CordonSubtleNotSupported", notSupported);

return { dataError, invalidAccess, notSupported, operationError, syntaxError };
})();
