import { Hono } from "hono";
import { cors } from "hono/cors";
import { getCookie, setCookie } from "hono/cookie";
import { HTTPException } from "hono/http-exception";
import { stream } from "hono/streaming";
import { validator } from "hono/validator";
import { Checks } from "./check.js";

const app = new Hono().basePath("/api");
app.use("*", cors({ origin: "https://console.example" }));
app.get("/books/:id{[0-9]+}", (c) => c.json({ id: Number(c.req.param("id")), q: c.req.queries("q") ?? [] }));
app.post("/echo", validator("json", (value, c) => typeof value.n === "number" ? value : c.text("no number", 422)), (c) => c.json(c.req.valid("json").n + 1, 201));
app.post("/form", async (c) => c.text((await c.req.parseBody()).file.name));
app.get("/cookie", (c) => { setCookie(c, "seen", "yes", { httpOnly: true }); return c.text(getCookie(c, "was") ?? "none"); });
app.get("/stream", (c) => stream(c, async (s) => { await s.write("a"); await s.sleep(1); await s.write("b"); }));
app.get("/broken", () => { throw new HTTPException(418, { message: "short and stout" }); });
app.notFound((c) => c.text("nothing here", 404));

export default async () => {
  const checks = new Checks();
  const ask = async (path, init) => { const answer = await app.request(path, init); return [answer.status, await answer.text(), answer]; };
  checks.equal("parameters and queries", (await ask("/api/books/12?q=a&q=b")).slice(0, 2), [200, '{"id":12,"q":["a","b"]}']);
  checks.equal("a pattern that does not match", (await ask("/api/books/x")).slice(0, 2), [404, "nothing here"]);
  const json = (body) => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  checks.equal("a body that is valid", (await ask("/api/echo", json({ n: 1 }))).slice(0, 2), [201, "2"]);
  checks.equal("a body that is not", (await ask("/api/echo", json({}))).slice(0, 2), [422, "no number"]);
  const form = new FormData();
  form.append("file", new File(["x"], "name.txt"));
  checks.equal("a form with a file", (await ask("/api/form", { method: "POST", body: form })).slice(0, 2), [200, "name.txt"]);
  const [, was, answer] = await ask("/api/cookie", { headers: { cookie: "was=here" } });
  checks.equal("cookies both ways", [was, answer.headers.getSetCookie()], ["here", ["seen=yes; Path=/; HttpOnly"]]);
  checks.equal("a streamed answer", (await ask("/api/stream"))[1], "ab");
  checks.equal("an error of the handler", (await ask("/api/broken")).slice(0, 2), [418, "short and stout"]);
  const [status, , preflight] = await ask("/api/echo", { method: "OPTIONS", headers: { origin: "https://console.example", "access-control-request-method": "POST" } });
  checks.equal("a preflight", [status, preflight.headers.get("access-control-allow-origin")], [204, "https://console.example"]);
  return checks.report;
};
