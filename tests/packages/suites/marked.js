import { Marked } from "marked";
import { Checks } from "./check.js";

export default () => {
  const checks = new Checks();
  const marked = new Marked({ gfm: true });
  checks.equal("a heading and a list", marked.parse("# A\n\n- b\n- **c**\n"), "<h1>A</h1>\n<ul>\n<li>b</li>\n<li><strong>c</strong></li>\n</ul>\n");
  checks.equal("a table", /<td align="right">1<\/td>/.test(marked.parse("| a |\n| -: |\n| 1 |\n")), true);
  checks.equal("code is escaped", marked.parse("```js\na < b\n```"), '<pre><code class="language-js">a &lt; b\n</code></pre>\n');
  marked.use({ renderer: { link({ href, text }) { return `[${text}](${href})`; } } });
  checks.equal("a renderer of one's own", marked.parseInline("[x](https://a.example)"), "[x](https://a.example)");
  checks.equal("many nested quotes", marked.parse(">".repeat(50) + " x").match(/<blockquote>/g).length, 50);
  return checks.report;
};
