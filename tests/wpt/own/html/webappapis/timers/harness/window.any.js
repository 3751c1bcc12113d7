// META: global=window
test(() => {}, "a test for windows");
