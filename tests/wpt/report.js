// What came of a test, short enough for a run's result: every count, the names of what did not pass, and why for the first of them.
import job from "./job.js";

const NAMES_MAX = 5000;
const MESSAGES_MAX = 300;
const NAME_UNITS_MAX = 500;
const MESSAGE_UNITS_MAX = 300;
const STATUSES = ["PASS", "FAIL", "TIMEOUT", "NOTRUN", "PRECONDITION_FAILED"];
const HARNESS = ["OK", "ERROR", "TIMEOUT", "PRECONDITION_FAILED"];

const { add_completion_callback, setTimeout, timeout } = globalThis;
const cut = (text, most) => text.length > most ? `${text.slice(0, most)}…` : text;

function summary(tests, harness) {
  const counts = {};
  const others = [];
  for (const test of tests) {
    const status = STATUSES[test.status] ?? `${test.status}`;
    counts[status] = (counts[status] ?? 0) + 1;
    if (status === "PASS" || others.length >= NAMES_MAX) continue;
    others.push([cut(test.name, NAME_UNITS_MAX), status, others.length < MESSAGES_MAX ? cut(`${test.message ?? ""}`, MESSAGE_UNITS_MAX) : ""]);
  }
  const told = HARNESS[harness.status] ?? `${harness.status}`;
  return { harness: told, message: cut(`${harness.message ?? ""}`, MESSAGE_UNITS_MAX), counts, others };
}

export const finished = new Promise((resolve) => add_completion_callback((tests, harness) => resolve(summary(tests, harness))));
setTimeout(timeout, job.milliseconds);
