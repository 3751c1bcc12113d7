import { AutoRouter, StatusError, cors, error, json } from "itty-router";
import { Checks } from "./check.js";

const { preflight, corsify } = cors();
const router = AutoRouter({ before: [preflight], finally: [corsify], catch: (e) => error(e) });
router
  .get("/sum/:a/:b?", ({ params, query }) => ({ sum: Number(params.a) + Number(params.b ?? 0), query }))
  .post("/echo", async (request) => json(await request.json(), { status: 201 }))
  .get("/broken", () => { throw new StatusError(409, "in conflict"); })
  .get("/files/:path+", ({ params }) => params.path);

export default async () => {
  const checks = new Checks();
  const ask = async (path, init) => { const answer = await router.fetch(new Request(`https://a.example${path}`, init)); return [answer.status, await answer.text()]; };
  checks.equal("parameters and queries", await ask("/sum/1/2?x=1&x=2"), [200, '{"sum":3,"query":{"x":["1","2"]}}']);
  checks.equal("a parameter that is left out", await ask("/sum/1"), [200, '{"sum":1,"query":{}}']);
  checks.equal("a body", await ask("/echo", { method: "POST", body: '{"a":[1]}' }), [201, '{"a":[1]}']);
  checks.equal("an error with a status", await ask("/broken"), [409, '{"status":409,"error":"in conflict"}']);
  checks.equal("a greedy parameter", await ask("/files/a/b/c"), [200, '"a/b/c"']);
  checks.equal("nothing that fits", (await ask("/none"))[0], 404);
  checks.equal("a preflight", (await ask("/echo", { method: "OPTIONS", headers: { origin: "https://b.example" } }))[0], 204);
  return checks.report;
};
