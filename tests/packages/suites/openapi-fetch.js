import createClient from "openapi-fetch";
import { Checks } from "./check.js";

const seen = [];
async function origin(request) {
  seen.push(`${request.method} ${request.url} ${request.headers.get("x-key")}`);
  if (request.method === "POST") return Response.json({ id: 7, ...await request.json() }, { status: 201 });
  if (request.url.includes("/404")) return Response.json({ code: "gone" }, { status: 404 });
  return new Response("plain", { headers: { "content-type": "text/plain" } });
}

export default async () => {
  const checks = new Checks();
  const client = createClient({ baseUrl: "https://api.example/v1", headers: { "x-key": "k" }, fetch: origin });
  client.use({ onRequest({ request }) { request.headers.set("x-key", `${request.headers.get("x-key")}2`); return request; } });
  const made = await client.POST("/items/{kind}", { params: { path: { kind: "a b" }, query: { tags: ["x", "y"] } }, body: { n: 1 } });
  checks.equal("a body that is sent and read", made.data, { id: 7, n: 1 });
  const gone = await client.GET("/items/404");
  checks.equal("an answer that is an error", [gone.data, gone.error, gone.response.status], [undefined, { code: "gone" }, 404]);
  checks.equal("an answer that is text", (await client.GET("/text", { parseAs: "text" })).data, "plain");
  checks.equal("what was asked", seen, ["POST https://api.example/v1/items/a%20b?tags=x&tags=y k2", "GET https://api.example/v1/items/404 k2", "GET https://api.example/v1/text k2"]);
  const denied = createClient({ baseUrl: "https://api.example" });
  await checks.throws("a request that the profile does not allow", () => denied.GET("/x"), /^EgressDenied: /);
  return checks.report;
};
