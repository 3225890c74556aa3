/** Preloaded into a process (`node --import`): its wall clock stands at STILLFRAME_TEST_NOW. Timers go on. */
const now = Date.parse(process.env.STILLFRAME_TEST_NOW ?? "");
if (Number.isNaN(now)) throw new Error("STILLFRAME_TEST_NOW must be an instant");

Date.now = () => now;
globalThis.Date = new Proxy(Date, {
  construct: (real, given, made) => Reflect.construct(real, given.length === 0 ? [now] : given, made),
  apply: (real) => new real(now).toString(),
});
