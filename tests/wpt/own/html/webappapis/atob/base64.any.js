test(() => {
  assert_equals(btoa("\u0000ÿ"), "AP8=");
  assert_equals(atob(" AP8 = "), "\u0000ÿ");
  for (const wrong of ["a", "a=", "ab=", "a-b_", "====", "YQ==="]) assert_throws_dom("InvalidCharacterError", () => atob(wrong), wrong);
  assert_throws_dom("InvalidCharacterError", () => btoa("€"));
  assert_equals(atob(null), "\u009eée");
}, "there and back, and what is no base64");
