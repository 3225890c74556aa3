/**
 * How quick the console is for those who look at it: `npm run bench:web`. The built console on a database with 50 hosts,
 * 200 jobs and 5,000 runs, a scripted host with a run of 16 volumes, and Chromium. Needs `npm run build`.
 */
import type { BrowserContext, Page } from "@playwright/test";
import WebSocket from "ws";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { seed } from "../seed/seed";
import { openBrowser, quantile, signedIn } from "./browser";
import { LiveRun } from "./live-run";

const WATCHERS = 50;

/** Notes the largest paint and how long each interaction took until its paint (below 16 ms the browser tells nothing). */
const WATCH = `
  window.largestPaint = 0;
  window.slowest = new Map();
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.largestPaint = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const { interactionId: id, duration } of list.getEntries())
      if (id) window.slowest.set(id, Math.max(duration, window.slowest.get(id) ?? 0));
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
`;

/** The picture's slider stands at the time of the newest measurement; both clocks are this machine's. */
const LATENCY = `new Promise((resolve) => {
  const slider = document.querySelector("input[type=range]");
  const late = [];
  let last = slider.value;
  const begun = performance.now();
  requestAnimationFrame(function frame() {
    if (slider.value !== last) late.push(Date.now() - Number((last = slider.value)));
    if (performance.now() - begun < 8000) requestAnimationFrame(frame);
    else resolve(late);
  });
})`;

const it = new ConsoleUnderTest();
const live = new LiveRun(16);
const timers: NodeJS.Timeout[] = [];
const browser = await openBrowser();
try {
  await seed(it.home, { hosts: 49, jobs: 199, runs: 5000 });
  await it.startProcess({}, { pages: true });
  const cookie = await it.signUp();
  const context = await signedIn(browser, it, cookie);
  await context.addInitScript(WATCH);
  await firstLoads(context);
  await live.begin(it, cookie);
  timers.push(setInterval(() => live.worker.samples(live.measure()), 100));
  await interactions(context);
  const page = await context.newPage();
  await page.goto(`/runs/${live.runId}`);
  await page.waitForTimeout(2000);
  tell("a measurement is on screen after", await page.evaluate<number[]>(LATENCY));
  await watchers(cookie);
  tell("the same beside the watchers", await page.evaluate<number[]>(LATENCY));
  await restarted(page);
} finally {
  for (const timer of timers) clearInterval(timer);
  live.worker.drop();
  await browser.close();
  await it.remove();
}

async function firstLoads(context: BrowserContext): Promise<void> {
  const paints: number[] = [];
  let script = 0;
  for (let i = 0; i < 5; i++) {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    await page.goto("/");
    await page.waitForTimeout(2500);
    script = await page.evaluate<number>(
      'performance.getEntriesByType("resource").filter((r) => r.name.includes(".js")).reduce((sum, r) => sum + r.encodedBodySize, 0)',
    );
    paints.push(await page.evaluate<number>("window.largestPaint"));
    await page.close();
  }
  process.stdout.write(`Overview's JavaScript, compressed: ${(script / 1000).toFixed(1)} kB\n`);
  tell("Overview's largest paint", paints);
}

async function interactions(context: BrowserContext): Promise<void> {
  const page = await context.newPage();
  await page.goto("/jobs");
  await page.waitForTimeout(1500);
  const boxes = page.getByRole("checkbox");
  for (let i = 0; i < 8; i++) await boxes.nth(i).click();
  await page.getByLabel("Job, host, volume or path").pressSequentially("nightly db", { delay: 60 });
  await told(page, "interactions on the list of jobs");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to or do" }).pressSequentially("weekly web 12", { delay: 60 });
  for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowDown", { delay: 40 });
  await page.keyboard.press("Escape");
  await told(page, "interactions with the palette");
  await page.goto("/runs");
  await page.waitForTimeout(1500);
  await page.getByLabel("Job, number or code").pressSequentially("archive 4", { delay: 60 });
  await told(page, "interactions on the list of runs");
  await page.goto(`/runs/${live.runId}`);
  await page.waitForTimeout(1500);
  for (let i = 0; i < 3; i++) {
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.getByRole("button", { name: "Zoom out" }).click();
  }
  await page.getByRole("slider").focus();
  for (let i = 0; i < 10; i++) await page.keyboard.press("ArrowLeft", { delay: 40 });
  await told(page, "interactions on a live run's page");
  await page.close();
}

async function told(page: Page, what: string): Promise<void> {
  await page.waitForTimeout(500);
  tell(
    what,
    await page.evaluate<number[]>(
      "(() => { const all = [...window.slowest.values()]; window.slowest.clear(); return all; })()",
    ),
  );
}

/** Fifty clients of the API that watch the run, and one that reads nothing of what it is sent. */
async function watchers(cookie: string): Promise<void> {
  const headers = { cookie, origin: it.origin };
  const stuck = new WebSocket(`${it.origin.replace("http", "ws")}/api/ws`, { headers });
  await new Promise((resolve) => stuck.once("open", resolve));
  const input = { json: { id: live.runId } };
  stuck.send(
    JSON.stringify({ id: 1, jsonrpc: "2.0", method: "subscription", params: { path: "runs.samples", input } }),
  );
  stuck.pause();
  const late: number[] = [];
  const heard = new Set<number>();
  for (let i = 0; i < WATCHERS; i++)
    it.client(cookie).runs.samples.subscribe(
      { id: live.runId },
      {
        onData: (samples) => {
          heard.add(i);
          for (const { at } of samples) late.push(Date.now() - Date.parse(at));
        },
      },
    );
  await eventually(() => heard.size === WATCHERS, 30_000);
  late.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 8000));
  tell(`${WATCHERS} watchers of 16 volumes hear a measurement after`, late);
  stuck.terminate();
}

/** Kills the console and starts it again; the page and the host come back by themselves. */
async function restarted(page: Page): Promise<void> {
  await it.kill();
  live.worker.drop();
  await it.startProcess({}, { pages: true });
  const up = Date.now();
  await live.worker.connect(it.origin, it.hostKey);
  const before = Number(await page.getByRole("slider").inputValue());
  await eventually(async () => Number(await page.getByRole("slider").inputValue()) > Math.max(before, up), 30_000);
  process.stdout.write(`live again ${((Date.now() - up) / 1000).toFixed(1)} s after the console was\n`);
}

function tell(what: string, values: readonly number[]): void {
  const words = [0.5, 0.95].map((share) => quantile(values, share).toFixed(0)).join(" / ");
  process.stdout.write(`${what}: p50 / p95 ${values.length === 0 ? "below 16" : words} ms (${values.length} told)\n`);
}
