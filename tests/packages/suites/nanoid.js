import { customAlphabet, customRandom, nanoid } from "nanoid";
import { Checks } from "./check.js";

export default () => {
  const checks = new Checks();
  const ids = new Set(Array.from({ length: 1000 }, () => nanoid()));
  checks.equal("a thousand that differ", ids.size, 1000);
  checks.equal("length and alphabet", [...ids].every((id) => /^[\w-]{21}$/.test(id)), true);
  checks.equal("an alphabet of one's own", /^[01]{64}$/.test(customAlphabet("01", 64)()), true);
  checks.equal("bytes of one's own", customRandom("abcd", 4, (size) => new Uint8Array(size))(), "aaaa");
  return checks.report;
};
