// META: title=URL parsing
// META: script=/common/rows.js
// META: variant=?1-2
// META: variant=?3-last

promise_test(async () => {
  const rows = await (await fetch("resources/rows.json")).json();
  assert_true(rows.length > 2, "the rows are there");
  for (const row of chosen(rows)) test(() => assert_equals(new URL(row.input, row.base).href, row.href), `${row.input} against ${row.base}`);
}, "the rows are read");
promise_test(async () => assert_equals((await fetch("resources/none.json")).status, 404), "a file that is not there is not found");
