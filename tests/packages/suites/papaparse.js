import Papa from "papaparse";
import { Checks } from "./check.js";

export default async () => {
  const checks = new Checks();
  const text = 'name,n\n"a, ""b""",1\n"two\nlines",2\n';
  const { data, errors, meta } = Papa.parse(text, { header: true, dynamicTyping: true, skipEmptyLines: true });
  checks.equal("quotes, lines and numbers", data, [{ name: 'a, "b"', n: 1 }, { name: "two\nlines", n: 2 }]);
  checks.equal("errors and fields", [errors, meta.fields, meta.delimiter], [[], ["name", "n"], ","]);
  checks.equal("there and back", Papa.parse(Papa.unparse(data), { header: true, dynamicTyping: true }).data, data);
  const steps = [];
  Papa.parse("a;b\n1;2\n3;4", { step: (row, parser) => { steps.push(row.data); if (steps.length === 2) parser.abort(); } });
  checks.equal("row by row, until it is enough", steps, [["a", "b"], ["1", "2"]]);
  checks.equal("a quote that is left open", Papa.parse('a\n"b').errors[0].code, "MissingQuotes");
  return checks.report;
};
