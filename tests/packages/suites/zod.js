import * as z from "zod";
import { Checks } from "./check.js";

const Order = z.object({
  id: z.uuid(),
  email: z.email(),
  lines: z.array(z.object({ sku: z.string().regex(/^[A-Z]{3}\d+$/), count: z.coerce.number().int().positive() })).min(1),
  at: z.iso.datetime().transform((text) => new Date(text).getTime()),
  note: z.string().trim().optional().default("none"),
  kind: z.discriminatedUnion("type", [z.object({ type: z.literal("gift"), to: z.string() }), z.object({ type: z.literal("own") })]),
}).strict();

const good = { id: "0191d9c4-7a52-7c4e-8f3a-5b1f0a9d2c11", email: "a@b.example", lines: [{ sku: "ABC1", count: "2" }], at: "2026-01-02T03:04:05Z", kind: { type: "own" } };

export default async () => {
  const checks = new Checks();
  const { kind, ...rest } = good;
  checks.equal("what is right is parsed", Order.parse(good), { ...rest, lines: [{ sku: "ABC1", count: 2 }], at: Date.UTC(2026, 0, 2, 3, 4, 5), note: "none", kind });
  const wrong = Order.safeParse({ ...good, email: "x", lines: [], kind: { type: "other" }, more: 1 });
  checks.equal("everything that is wrong is told", wrong.error.issues.map((issue) => issue.path.join(".")).sort(), ["", "email", "kind.type", "lines"]);
  await checks.throws("parse throws", () => Order.parse({}), /^(\$?Zod)?Error|ZodError/);
  const async = z.string().refine(async (text) => text === "x", "not x");
  checks.equal("a check that waits", [(await async.safeParseAsync("x")).success, (await async.safeParseAsync("y")).success], [true, false]);
  const tree = z.object({ name: z.string(), get children() { return z.array(tree); } });
  checks.equal("a schema of itself", tree.parse({ name: "a", children: [{ name: "b", children: [] }] }).children[0].name, "b");
  checks.equal("JSON Schema of a schema", z.toJSONSchema(z.object({ a: z.number().max(3) })).properties.a, { type: "number", maximum: 3 });
  checks.equal("maps, sets and bigints", z.map(z.string(), z.set(z.bigint())).safeParse(new Map([["a", new Set([1n])]])).success, true);
  return checks.report;
};
