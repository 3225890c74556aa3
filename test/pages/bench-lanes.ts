/**
 * How smooth the lanes are: `npm run bench:lanes`. The run's page of the built console, in Chromium, 16 volumes, ten
 * measurements of each a second, first seen whole, then zoomed in and following the present. Needs `npm run build`.
 */
import { parseArgs } from "node:util";
import { ConsoleUnderTest } from "../fixtures/console-under-test";
import { openBrowser, quantile, signedIn } from "./browser";
import { type FrameTimes, frameTimes } from "./frame-times";
import { LiveRun } from "./live-run";
import { feedSamples } from "./samples-at-ten-hertz";

const { values } = parseArgs({
  options: {
    volumes: { type: "string", default: "16" },
    seconds: { type: "string", default: "10" },
    /** Measurements of each volume that the page holds beforehand. */
    history: { type: "string", default: "1500" },
    screenshot: { type: "string" },
  },
});
const EVERY_MS = 100;

const it = new ConsoleUnderTest();
const browser = await openBrowser();
const timers: NodeJS.Timeout[] = [];
const live = new LiveRun(Number(values.volumes), Number(values.history) * EVERY_MS);
try {
  await it.startProcess({}, { pages: true });
  const cookie = await it.signUp();
  await live.begin(it, cookie);
  const page = await (await signedIn(browser, it, cookie)).newPage();
  const show = await feedSamples(page);
  await page.goto(`/runs/${live.runId}`);
  await page.getByRole("slider", { name: "Time in the picture" }).waitFor();
  await page.waitForTimeout(1000);
  const begun = Date.now() - Number(values.history) * EVERY_MS;
  for (let i = 0; i < Number(values.history); i++) {
    show(live.measure(new Date(begun + i * EVERY_MS)).map((sample) => ({ ...sample, hostId: "scripted" })));
  }
  await page.waitForTimeout(3000);
  timers.push(
    setInterval(() => show(live.measure().map((sample) => ({ ...sample, hostId: "scripted" }))), EVERY_MS),
    setInterval(() => live.worker.emit(live.runId, live.progress()), 1000),
  );
  await page.waitForTimeout(1500);
  print("whole run", await frameTimes(page, Number(values.seconds) * 1000));
  for (let i = 0; i < 3; i++) await page.getByRole("button", { name: "Zoom in" }).click();
  await page.getByRole("button", { name: "Live" }).click();
  print("zoomed in, following", await frameTimes(page, Number(values.seconds) * 1000));
  await page.getByRole("slider", { name: "Time in the picture" }).focus();
  await page.keyboard.press("ArrowLeft");
  print("the same with the cursor", await frameTimes(page, Number(values.seconds) * 1000));
  if (values.screenshot) await page.screenshot({ path: values.screenshot });
} finally {
  for (const timer of timers) clearInterval(timer);
  live.worker.drop();
  await browser.close();
  await it.remove();
}

function print(what: string, { mainMs, processorMs, intervalMs }: FrameTimes): void {
  const both = (list: number[]) => `${quantile(list, 0.5).toFixed(1)} / ${quantile(list, 0.95).toFixed(1)} ms`;
  process.stdout.write(
    `${what}: ${mainMs.length} painted frames, p50 / p95: main thread ${both(mainMs)}, ` +
      `of it processor ${both(processorMs)}, between frames ${both(intervalMs)}\n`,
  );
}
