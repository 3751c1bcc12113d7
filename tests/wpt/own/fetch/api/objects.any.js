// META: script=resources/kinds.sub.js
test(() => {
  const headers = new Headers([["b", "1"], ["A", "2"], ["b", " 3 "], ["set-cookie", "x"], ["set-cookie", "y"]]);
  assert_array_equals([...headers].map((pair) => pair.join("=")), ["a=2", "b=1, 3", "set-cookie=x", "set-cookie=y"]);
  assert_array_equals(headers.getSetCookie(), ["x", "y"]);
  assert_throws_js(TypeError, () => headers.append("a b", "c"));
}, "headers are sorted, joined and checked");

promise_test(async (t) => {
  const request = new Request("relative?q", { method: "patch", headers: { a: "b" }, body: "text", duplex: "half" });
  assert_equals(`${request.method} ${new URL(request.url).pathname}`, "patch /fetch/api/relative");
  assert_equals(await request.clone().text() + await request.text(), "texttext");
  await promise_rejects_js(t, TypeError, request.text());
  assert_throws_js(TypeError, () => new Request("x", { method: "TRACE" }));
}, "a request's parts are read once");

promise_test(async (t) => {
  assert_equals(Response.json({ a: 1 }, { status: 201 }).status, 201);
  assert_throws_js(RangeError, () => new Response("", { status: 99 }));
  assert_throws_js(TypeError, () => new Response("x", { status: 204 }));
  await promise_rejects_dom(t, "AbortError", fetch(hostOfTheOrigin(), { signal: AbortSignal.abort() }));
}, "responses, and a fetch that is aborted before it starts");

promise_test(async () => {
  const answer = await fetch("resources/text.txt");
  assert_equals(`${answer.status} ${answer.ok} ${answer.type} ${answer.redirected} ${answer.headers.get("content-type")}`, "200 true basic false text/plain");
  assert_equals(await answer.text(), "text of the origin\n");
  const head = await fetch("resources/text.txt", { method: "HEAD" });
  assert_equals(head.headers.get("content-length") + await head.text(), "19");
  assert_equals((await fetch("resources/none.txt")).status, 404);
}, "answers of the origin");

promise_test(async (t) => {
  const followed = await fetch("resources");
  assert_true(followed.redirected && followed.url.endsWith("/fetch/api/resources/"), followed.url);
  await followed.body.cancel();
  await promise_rejects_js(t, TypeError, fetch("resources", { redirect: "error" }));
}, "a redirect is followed, or is an error when it must be");

promise_test(async (t) => {
  const control = new AbortController();
  const asked = fetch("resources/text.txt", { signal: control.signal });
  control.abort(new RangeError("mine"));
  await promise_rejects_exactly(t, control.signal.reason, asked);
}, "a fetch that is aborted while it is under way");
