// What of hono compares secrets by their digests.
import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { Checks } from "./check.js";

const app = new Hono();
app.use("/private/*", basicAuth({ username: "a", password: "b" }));
app.get("/private/x", (c) => c.text("inside"));

export default async () => {
  const checks = new Checks();
  const ask = async (headers) => { const answer = await app.request("/private/x", { headers }); return [answer.status, await answer.text()]; };
  checks.equal("without a password", await ask({}), [401, "Unauthorized"]);
  checks.equal("with another", await ask({ authorization: `Basic ${btoa("a:c")}` }), [401, "Unauthorized"]);
  checks.equal("with the right one", await ask({ authorization: `Basic ${btoa("a:b")}` }), [200, "inside"]);
  return checks.report;
};
