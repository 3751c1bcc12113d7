// META: script=not-there.js
test(() => {}, "a test whose script is not there");
