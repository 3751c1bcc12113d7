// Clocks in whole milliseconds. `Date` is that coarse in V8, `performance` reads the host's coarse clock; `Temporal.Now` is
// finer in V8 and is rebuilt here on `Date.now`.

(function () {
const { primordials } = __bootstrap;
const { DateNow, ObjectDefineProperty, uncurryThis } = primordials;
const performance = __bootstrap.core.loadExtScript("ext:deno_web/15_performance.js");

function coarsenTemporal(temporal) {
  if (temporal === undefined) return;
  const { Instant, Now, ZonedDateTime } = temporal;
  const fromEpochMilliseconds = Instant.fromEpochMilliseconds;
  const toZoned = uncurryThis(Instant.prototype.toZonedDateTimeISO);
  const timeZoneId = Now.timeZoneId;
  const plain = {
    plainDateTimeISO: uncurryThis(ZonedDateTime.prototype.toPlainDateTime),
    plainDateISO: uncurryThis(ZonedDateTime.prototype.toPlainDate),
    plainTimeISO: uncurryThis(ZonedDateTime.prototype.toPlainTime),
  };
  const instant = () => fromEpochMilliseconds(DateNow());
  const zoned = (zone) => toZoned(instant(), zone === undefined ? timeZoneId() : zone);
  const methods = {
    instant() { return instant(); },
    zonedDateTimeISO(zone = undefined) { return zoned(zone); },
    plainDateTimeISO(zone = undefined) { return plain.plainDateTimeISO(zoned(zone)); },
    plainDateISO(zone = undefined) { return plain.plainDateISO(zoned(zone)); },
    plainTimeISO(zone = undefined) { return plain.plainTimeISO(zoned(zone)); },
  };
  const names = primordials.ObjectKeys(methods);
  for (let i = 0; i < names.length; i++) {
    ObjectDefineProperty(Now, names[i], { __proto__: null, value: methods[names[i]], writable: true, enumerable: false, configurable: true });
  }
}

return { coarsenTemporal, performance: performance.performance, Performance: performance.Performance, start: performance.setTimeOrigin };
})();
