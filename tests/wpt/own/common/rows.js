// The rows that the variant `?FROM-TO` names, counted from 1.
function chosen(rows) {
  const [, from, to] = /^\?(\d+)-(\d+|last)$/.exec(location.search);
  return rows.slice(Number(from) - 1, to === "last" ? rows.length : Number(to));
}
