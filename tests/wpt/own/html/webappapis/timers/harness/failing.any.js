// What the harness must see as failed, each in its own way.
test(() => assert_equals(1, 2), "an assertion that does not hold");
promise_test(() => Promise.reject(new Error("rejected")), "a promise that is rejected");
async_test(() => {}, "a test that is never done");
test(() => {}, "a test that passes");
