// The application is the default export: the run's input becomes its request.
import { Hono } from "hono";

const app = new Hono();
app.post("/greet/:name", async (c) => c.json({ hello: c.req.param("name"), got: await c.req.json(), run: typeof c.executionCtx.waitUntil }, 201, { "x-made": "here" }));

export default app;
