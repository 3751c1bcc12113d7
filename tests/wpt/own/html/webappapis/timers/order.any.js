setup({ allow_uncaught_exception: true });
async_test((t) => {
  const seen = [];
  setTimeout((...given) => seen.push(...given), -5, "first", "with arguments");
  clearTimeout(setTimeout(t.unreached_func("cleared"), 0));
  queueMicrotask(() => seen.push("microtask"));
  let ticks = 0;
  const every = setInterval(t.step_func(() => {
    if (++ticks < 3) return;
    clearInterval(every);
    assert_array_equals(seen, ["microtask", "first", "with arguments"]);
    t.done();
  }), 1);
}, "order, arguments, clearing");

async_test((t) => {
  addEventListener("error", t.step_func_done((event) => assert_equals(event.error.message, "of a timer")), { once: true });
  setTimeout(() => { throw new Error("of a timer"); }, 1);
}, "what a timer throws is an error event");
