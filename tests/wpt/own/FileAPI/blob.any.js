promise_test(async () => {
  const file = new File(["a\r\nb", new Uint8Array([99])], "n.txt", { type: "Text/Plain", lastModified: 5 });
  assert_equals(`${file.name} ${file.type} ${file.size} ${file.lastModified}`, "n.txt text/plain 5 5");
  assert_equals(await file.slice(1, -1, "x/y").text(), "\r\nb");
  assert_equals(new Blob(["\u00ff"], { type: "\u00ff" }).type, "");
}, "parts, slices and types");

promise_test(async (t) => {
  const url = URL.createObjectURL(new Blob(["kept"], { type: "a/b" }));
  const answer = await fetch(url);
  assert_equals(await answer.text() + answer.headers.get("content-type"), "kepta/b");
  URL.revokeObjectURL(url);
  await promise_rejects_js(t, TypeError, fetch(url));
}, "a blob's URL leads to it until it is revoked");
