test(() => {
  const pattern = new URLPattern("https://*.example.com/books/:id(\\d+){/:page}?");
  assert_object_equals(pattern.exec("https://a.example.com/books/12/3").pathname.groups, { id: "12", page: "3" });
  assert_false(pattern.test("https://example.com/books/x"));
  assert_throws_js(TypeError, () => new URLPattern({ pathname: "/:a/:a" }));
}, "groups are named and unique");
