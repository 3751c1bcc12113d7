test(() => {
  const url = new URL("https://example.com/?a=1&b=2&a=3");
  url.searchParams.delete("a", "1");
  url.searchParams.append("c d", "é&");
  url.searchParams.sort();
  assert_equals(url.search, "?a=3&b=2&c+d=%C3%A9%26");
  assert_equals(url.searchParams.size, 3);
  assert_true(url.searchParams.has("a", "3"));
}, "changes of URLSearchParams are changes of the URL");

test(() => {
  assert_throws_js(TypeError, () => new URLSearchParams([["only one"]]));
  assert_throws_js(TypeError, () => new URL("/relative"));
  assert_false(URL.canParse("//"));
  assert_equals(URL.parse("http://["), null);
}, "what is no URL throws or is null");
