import { addBusinessDays, differenceInCalendarDays, eachDayOfInterval, format, formatDistance, intervalToDuration, isValid, parse, parseISO } from "date-fns";
import { de } from "date-fns/locale";
import { Checks } from "./check.js";

export default () => {
  const checks = new Checks();
  const start = parseISO("2026-03-27T10:00:00");
  checks.equal("a format", format(start, "yyyy-MM-dd HH:mm EEEE"), "2026-03-27 10:00 Friday");
  checks.equal("a language", format(start, "d. MMMM", { locale: de }), "27. März");
  checks.equal("business days", format(addBusinessDays(start, 2), "yyyy-MM-dd"), "2026-03-31");
  checks.equal("a distance", formatDistance(parseISO("2026-03-25"), start, { addSuffix: true }), "2 days ago");
  checks.equal("days between", differenceInCalendarDays(parseISO("2027-03-27"), start), 365);
  checks.equal("every day", eachDayOfInterval({ start, end: addBusinessDays(start, 1) }).length, 4);
  checks.equal("parsing", [isValid(parse("30.02.2026", "dd.MM.yyyy", start)), isValid(parse("28.02.2026", "dd.MM.yyyy", start))], [false, true]);
  checks.equal("a duration", intervalToDuration({ start, end: parseISO("2026-05-28T11:30:00") }), { months: 2, days: 1, hours: 1, minutes: 30 });
  return checks.report;
};
