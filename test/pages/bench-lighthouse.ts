/**
 * Lighthouse's categories for each place: `npm run bench:lighthouse`. The built console on a seeded company (50 hosts, 200
 * jobs, 5,000 runs), as a telephone and as a desktop, signed in. Lighthouse is installed beside this file, by a lock
 * file of its own, the first time. Nothing leaves the machine. Needs `npm run build`.
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { chromium } from "@playwright/test";
import { volumePath } from "@/app/(console)/volumes/volume-path";
import { ConsoleUnderTest, eventually, freePort } from "../fixtures/console-under-test";
import { seed } from "../seed/seed";
import { cookiesOf, executablePath, flags } from "./browser";

const TARGET = 95;
const categories = ["performance", "accessibility", "best-practices", "seo"] as const;
/** A private console keeps robots out, and so cannot be found by them. */
const AGAINST_PURPOSE = "is-crawlable";

const { values } = parseArgs({
  options: {
    /** Places to look at, as the table names them, separated by commas; all of them without. */
    only: { type: "string" },
    /** As what: `mobile`, `desktop`, or both. */
    form: { type: "string", default: "mobile,desktop" },
    /** Directory for Lighthouse's whole reports. */
    reports: { type: "string" },
  },
});

const forms = values.form.split(",");
for (const form of forms)
  if (form !== "mobile" && form !== "desktop") throw new Error(`--form: ${form} is neither mobile nor desktop`);

type Place = { name: string; path: string };
type Audit = { title: string; score: number | null; displayValue?: string };
type Report = {
  runtimeError?: { message: string };
  categories: Record<string, { score: number | null; auditRefs: { id: string; weight: number }[] }>;
  audits: Record<string, Audit>;
};

const own = join(import.meta.dirname, "lighthouse");
const program = join(own, "node_modules/lighthouse/cli/index.js");
const run = promisify(execFile);

const it = new ConsoleUnderTest();
const profile = mkdtempSync(join(tmpdir(), "stillframe-lighthouse-"));
const port = await freePort();
let stopBrowser: () => Promise<void> = async () => undefined;
let missed = 0;
try {
  install();
  await seed(it.home, { hosts: 50, jobs: 200, runs: 5000 });
  await it.startProcess({}, { pages: true });
  const cookie = await it.signUp();
  stopBrowser = await startBrowser();
  await audit({ name: "Sign-in", path: "/sign-in" });
  await giveCookie(cookie);
  for (const place of await places(cookie)) await audit(place);
} finally {
  await stopBrowser();
  await it.remove();
  rmSync(profile, { recursive: true, force: true });
}
process.exitCode = missed > 0 ? 1 : 0;

function install(): void {
  if (existsSync(program)) return;
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", args, { cwd: own, stdio: "inherit" });
  if (status !== 0) throw new Error("Lighthouse could not be installed");
}

/** Lighthouse opens its tabs in the browser's own context, so that one is made here and not by Playwright. */
async function startBrowser(): Promise<() => Promise<void>> {
  const args = [...flags, "--headless", `--remote-debugging-port=${port}`, `--user-data-dir=${profile}`, "about:blank"];
  const browser = spawn(executablePath, args, { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => browser.once("exit", () => resolve()));
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/json/version`).catch(() => null))?.ok, 30_000);
  return async () => {
    browser.kill();
    await ended;
  };
}

async function giveCookie(cookie: string): Promise<void> {
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  await browser.contexts()[0]?.addCookies(cookiesOf(cookie, it.origin));
  await browser.close();
}

async function places(cookie: string): Promise<Place[]> {
  const client = it.client(cookie);
  const [job] = await client.jobs.list.query();
  const ended = (await client.runs.list.query({ limit: 50 })).find(({ state }) => state === "succeeded");
  const [volume] = await client.volumes.list.query({});
  const [group] = (await client.failures.groups.query({})).items;
  if (!job || !ended || !volume || !group) throw new Error("the seed made no job, run, volume or failure");
  return [
    { name: "Overview", path: "/" },
    { name: "Jobs", path: "/jobs" },
    { name: "New job", path: "/jobs/new" },
    { name: "Job", path: `/jobs/${job.id}` },
    { name: "Runs", path: "/runs" },
    { name: "Run", path: `/runs/${ended.id}` },
    { name: "Volumes", path: "/volumes" },
    { name: "Volume", path: volumePath(volume) },
    { name: "Cache", path: "/cache" },
    { name: "Troubleshoot", path: "/troubleshoot" },
    { name: "Failure", path: `/troubleshoot/${group.newest.id}` },
    { name: "Articles", path: "/articles" },
    { name: "Article", path: "/articles/a000851c" },
    { name: "Hosts", path: "/hosts" },
    { name: "Settings", path: "/settings" },
    { name: "Users", path: "/settings/users" },
  ];
}

async function audit(place: Place): Promise<void> {
  if (values.only !== undefined && !values.only.split(",").includes(place.name)) return;
  for (const form of forms) {
    const report = await reportOf(place, form);
    if (values.reports !== undefined)
      writeFileSync(join(values.reports, `${place.name}-${form}.json`), JSON.stringify(report));
    const scores = categories.map((one) => Math.round((report.categories[one]?.score ?? 0) * 100));
    const low = scores.some((score) => score < TARGET);
    if (low) missed += 1;
    const cells = scores.map((score) => `${score} (${(score / TARGET).toFixed(2)})`.padEnd(12));
    const [largest, blocked] = ["largest-contentful-paint", "total-blocking-time"].map(
      (id) => report.audits[id]?.displayValue ?? "?",
    );
    const measured = `largest paint ${largest}, blocked ${blocked}`;
    process.stdout.write(`${place.name.padEnd(13)} ${form.padEnd(8)} ${cells.join(" ")} ${measured}\n`);
    for (const line of faults(report)) process.stdout.write(`    ${line}\n`);
  }
}

async function reportOf({ path }: Place, form: string): Promise<Report> {
  const args = [
    program,
    it.origin + path,
    ...["--port", String(port), "--output=json", "--output-path=stdout", "--quiet", "--no-enable-error-reporting"],
    ...["--disable-full-page-screenshot", `--only-categories=${categories.join(",")}`],
    ...[`--skip-audits=${AGAINST_PURPOSE}`, ...(form === "desktop" ? ["--preset=desktop"] : [])],
  ];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 1 << 28, env: { ...process.env, CI: "1" } });
  const report: Report = JSON.parse(stdout);
  if (report.runtimeError) throw new Error(`${path}: ${report.runtimeError.message}`);
  return report;
}

/** What costs a category something. */
function faults(report: Report): string[] {
  return categories.flatMap((category) =>
    (report.categories[category]?.auditRefs ?? []).flatMap(({ id, weight }) => {
      const found = report.audits[id];
      if (weight === 0 || !found || found.score === null || found.score >= 0.9) return [];
      return [`${category}: ${id} ${found.displayValue ?? ""}`.trimEnd()];
    }),
  );
}
