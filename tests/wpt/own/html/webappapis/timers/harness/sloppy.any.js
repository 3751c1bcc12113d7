// Code that is only right outside strict mode: modules are strict, so this is refused before it runs.
test(() => assert_equals(010, 8), "a number in the old spelling");
