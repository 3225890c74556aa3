/**
 * Fifty people who watch a run: `npm run bench:browsers`. Each has a page of the built console in Chromium, with 16 volumes
 * that are measured ten times a second. The first is slowed down while it is alone, and hangs once all are there; at last
 * the console is killed. All share this machine's
 * processors, so the browsers have the least priority, and a client without a page tells what others get of the console
 * meanwhile. Needs `npm run build`.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { quantile } from "./browser";
import { LiveRun } from "./live-run";
import { WatchingBrowsers } from "./watching-browsers";

const { values } = parseArgs({
  options: {
    browsers: { type: "string", default: "50" },
    volumes: { type: "string", default: "16" },
    seconds: { type: "string", default: "30" },
    niceness: { type: "string", default: "19" },
  },
});
const COUNT = Number(values.browsers);
const SECONDS = Number(values.seconds);
const MEASURED_A_SECOND = 10;

type Cost = {
  at: number;
  rssBytes: number;
  cpu: number;
  waited: number;
  delayP50Ms: number;
  delayP99Ms: number;
  delayMostMs: number;
};

const say = (text: string) => process.stdout.write(`${text}\n`);
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const both = (list: readonly number[]) => [0.5, 0.95].map((share) => quantile(list, share).toFixed(0)).join(" / ");
const three = (list: readonly number[]) => [0.5, 0.95, 1].map((share) => seconds(quantile(list, share))).join(" / ");

const it = new ConsoleUnderTest();
const live = new LiveRun(Number(values.volumes));
const watchFile = join(it.home, "watch");
const watched = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "watched-process.mjs")).href}`,
  STILLFRAME_TEST_WATCH: watchFile,
};
const timers: NodeJS.Timeout[] = [];
const plain = { ages: [] as number[], newest: 0, firstAfter: { mark: Number.POSITIVE_INFINITY, at: 0 } };
let lines = 0;
/** Before it is welcomed a host says nothing but its greeting. */
let linked = true;
let browsers: WatchingBrowsers | undefined;
try {
  await it.startProcess(watched, { pages: true });
  const cookie = await it.signUp();
  await live.begin(it, cookie);
  timers.push(
    setInterval(() => linked && live.worker.samples(live.measure()), 1000 / MEASURED_A_SECOND),
    setInterval(() => linked && live.worker.emit(live.runId, logLine()), 1000),
  );
  it.client(cookie).runs.samples.subscribe({ id: live.runId }, { onData: (samples) => hear(samples[0]?.at) });
  await measured("nobody but the client");

  browsers = await WatchingBrowsers.launch(it, Number(values.niceness));
  await browsers.open(1, `/runs/${live.runId}`, cookie);
  const renderer = await browsers.renderer();
  for (const times of [1, 6, 20]) await slowed(browsers, times);
  const begun = Date.now();
  await browsers.open(COUNT - 1, `/runs/${live.runId}`, cookie);
  say(`${COUNT} browsers are open and hear measurements after ${seconds(Date.now() - begun)}`);

  await browsers.forget();
  await measured(`${COUNT} browsers`);
  await tellHeard(browsers, browsers.pages);

  const others = browsers.pages.slice(1);
  await browsers.forget(others);
  process.kill(renderer, "SIGSTOP");
  try {
    await measured("one of them hangs");
    await tellHeard(browsers, others);
  } finally {
    process.kill(renderer, "SIGCONT");
  }
  const goesOn = Date.now();
  await browsers.armFirstAfter(goesOn);
  await browsers.firstAfter();
  say(`it goes on and is live again ${seconds(Date.now() - goesOn)} after`);

  await restarted(browsers);
  await sleep(5000);
  const shown = await browsers.logLines();
  const whole = shown.filter(isWhole).length;
  say(
    `log: ${whole} of ${COUNT} show it without a gap, ${quantile(
      shown.map((all) => all.length),
      0.5,
    )} lines each`,
  );
} finally {
  for (const timer of timers) clearInterval(timer);
  live.worker.drop();
  await browsers?.close();
  await it.remove();
}

function logLine() {
  lines += 1;
  const at = new Date().toISOString();
  return { type: "log", at, level: "info", text: `line ${lines}`, code: null } as const;
}

/** Newest first, each one less than the one before. */
function isWhole(numbers: readonly number[]): boolean {
  const newest = numbers[0] ?? 0;
  return newest > lines - 5 && numbers.every((number, i) => number === newest - i);
}

function hear(at: string | undefined): void {
  if (at === undefined) return;
  plain.newest = Date.parse(at);
  plain.ages.push(Date.now() - plain.newest);
  if (plain.firstAfter.at === 0 && plain.newest > plain.firstAfter.mark) plain.firstAfter.at = Date.now();
}

/** Tells what the console costs and what the client without a page gets for some seconds. */
async function measured(what: string): Promise<void> {
  await sleep(2000);
  plain.ages.length = 0;
  const from = Date.now();
  const spent = await browsers?.processorSeconds();
  await sleep(SECONDS * 1000);
  const costs = readCosts().filter(({ at }) => at >= from);
  const all = (of: (cost: Cost) => number) => costs.map(of);
  const mean = (list: number[]) => list.reduce((sum, one) => sum + one, 0) / Math.max(1, list.length);
  say(`${what}, ${SECONDS} s:`);
  say(`  the client without a page: ${plain.ages.length} batches, age p50 / p95 ${both(plain.ages)} ms`);
  say(
    `  console: ${percent(mean(all((c) => c.cpu)))} of a processor, ${percent(mean(all((c) => c.waited)))} of the time ready without one, ` +
      `${(
        quantile(
          all((c) => c.rssBytes),
          1,
        ) /
          1024 ** 2
      ).toFixed(0)} MiB at most`,
  );
  say(
    `  its event loop is late by p50 ${mean(all((c) => c.delayP50Ms)).toFixed(1)}, p99 of a second at p95 ` +
      `${quantile(
        all((c) => c.delayP99Ms),
        0.95,
      ).toFixed(0)}, at most ${quantile(
        all((c) => c.delayMostMs),
        1,
      ).toFixed(0)} ms`,
  );
  if (browsers && spent !== undefined) {
    const share = (await browsers.processorSeconds()) - spent;
    say(`  the browsers: ${percent(share / ((Date.now() - from) / 1000))} of a processor, of ${cpus().length}`);
  }
}

/** How old is what the one browser hears, if its processor is slower: it must not become ever older. */
async function slowed(of: WatchingBrowsers, times: number): Promise<void> {
  const [page] = of.pages;
  if (!page) throw new Error("no browser is open");
  await of.slow(page, times);
  await of.forget();
  await sleep(SECONDS * 1000);
  const ages = (await of.heard()).flatMap((one) => one.ages);
  await of.slow(page, 1);
  say(
    `one browser, ${times} times slower, ${SECONDS} s: ${ages.length} batches, age in the page p50 / p95 ${both(ages)} ms, ` +
      `of the last ${quantile(ages.slice(-1), 0.5).toFixed(0)} ms`,
  );
}

async function tellHeard(of: WatchingBrowsers, pages: WatchingBrowsers["pages"]): Promise<void> {
  const heard = await of.heard(pages);
  const ages = heard.flatMap((one) => one.ages);
  const made = Number(values.volumes) * MEASURED_A_SECOND;
  const rates = heard.map((one) => one.messages / (SECONDS + 2));
  say(
    `  each of the ${pages.length} browsers hears ${quantile(rates, 0.5).toFixed(1)} batches a second (least ${Math.min(...rates).toFixed(1)}, ` +
      `most possible 5), ${quantile(
        heard.map((one) => one.samples / (SECONDS + 2)),
        0.5,
      ).toFixed(0)} of the ${made} measurements; ` +
      `age in the page p50 / p95 ${both(ages)} ms`,
  );
}

/** Kills the console and starts it again; the browsers, the client and the host come back by themselves. */
async function restarted(of: WatchingBrowsers): Promise<void> {
  const mark = Date.now();
  linked = false;
  await it.kill();
  live.worker.drop();
  await of.armFirstAfter(mark);
  plain.firstAfter = { mark, at: 0 };
  await it.startProcess(watched, { pages: true });
  const up = Date.now();
  await live.worker.connect(it.origin, it.hostKey);
  linked = true;
  const after = (await of.firstAfter()).map((at) => at - up);
  await eventually(() => plain.firstAfter.at > 0, 30_000);
  const opened = (await of.heard()).map(({ openedAt }) => openedAt - up);
  const worst = readCosts().filter(({ at }) => at >= up && at <= up + 10_000);
  say(`the console was killed, and is up again after ${seconds(up - mark)}; from then on:`);
  say(`  the client without a page is live after ${seconds(plain.firstAfter.at - up)}`);
  say(`  browsers' sockets are open after p50 / p95 / most ${three(opened)}`);
  say(`  browsers are live after p50 / p95 / most ${three(after)}`);
  say(
    `  console in the first 10 s: ready without a processor ${percent(
      quantile(
        worst.map((c) => c.waited),
        1,
      ),
    )} of a second at most, ` +
      `event loop late by at most ${quantile(
        worst.map((c) => c.delayMostMs),
        1,
      ).toFixed(0)} ms`,
  );
}

function readCosts(): Cost[] {
  return readFileSync(watchFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
