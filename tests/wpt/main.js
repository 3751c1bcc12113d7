// The run of one test: the harness, the test, then what came of it.
import "./prelude.js";
import { wanted } from "./prelude.js";
import job from "./job.js";
import "./testharness.js";
import { finished } from "./report.js";
import "./test.js";

// Timers and harness as they are before the test patches anything.
export default async () => ({ ...await finished, wanted: [...wanted] });
