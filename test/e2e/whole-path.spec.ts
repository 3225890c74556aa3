/**
 * The main path through the browser, as a person goes it, on real volumes: first sign-in, practice volumes,
 * a job in each mode, the live run, a failing job with its article and its action, a restore.
 * The steps build on each other, so they run in order and stop at the first failure.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { parseSize } from "@/server/core/text/bytes";
import { Cleanup } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { pause } from "../fixtures/native-program";
import { accessibilityProblems } from "./accessibility";
import { firstLink, runEnds, signInFirst } from "./console-steps";
import { Overwriter } from "./overwriter";

test.describe.configure({ mode: "serial" });

const MIB = 1024 * 1024;
const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
const base = `http://127.0.0.1:${port}`;
const cleanup = new Cleanup();
const known = randomBytes(3 * MIB);

let here: Installation;
let page: Page;
let failureUrl = "";
const runUrls: string[] = [];

test.beforeAll(async ({ browser }) => {
  here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  page = await (await browser.newContext({ baseURL: base, viewport: { width: 1440, height: 1000 } })).newPage();
});
test.afterAll(async () => {
  await page?.context().close();
  await cleanup.run();
});

test("the link of the first start makes the administrator, and works once", async () => {
  const link = firstLink(here);
  expect(link).toContain(base);
  await signInFirst(page, here);
  expect(await (await fetch(link)).text()).not.toContain("Create and sign in");
});

test("a visitor without a session sees nothing but the sign-in", async ({ browser }) => {
  const stranger = await browser.newPage({ baseURL: base });
  for (const path of ["/", "/jobs", "/volumes", "/settings"]) {
    await stranger.goto(path);
    await expect(stranger).toHaveURL(/sign-in/);
  }
  await stranger.close();
});

test("two practice volumes with writers are made from the first page", async () => {
  await page.goto("/");
  await page.getByRole("button", { name: "Create both volumes" }).click();
  await expect(page.getByText("accounts, letters", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("button", { name: "Create the job and run it" })).toBeVisible();
  const volumes = await here.json<{ name: string; fsType: string; state: string }[]>("volume", "list");
  const made = volumes.filter((volume) => ["accounts", "letters"].includes(volume.name));
  expect(made.map((volume) => [volume.name, volume.fsType, volume.state])).toEqual([
    ["accounts", "ext4", "attached"],
    ["letters", "xfs", "attached"],
  ]);
  writeFileSync(join(here.mount("accounts"), "known.bin"), known, { flush: true });
});

test("a first job freezes both at one instant and backs them up", async () => {
  await page.getByLabel("restic repository").fill(here.path("repository"));
  await page.getByRole("button", { name: "Create the job and run it" }).click();
  await runEnds(page, "Backed up");
  await expect(page.getByText("All volumes are of one instant.")).toBeVisible();
  runUrls.push(page.url());
  const run = await here.json<{ mode: string; state: string; volumes: { provider: string }[] }>("run", "show", "1");
  expect(run).toMatchObject({ mode: "allAtOnce", state: "succeeded" });
  expect(run.volumes.map((volume) => volume.provider)).toEqual(["engine", "engine"]);
});

test("a job one at a time is made in the editor, and gives each volume an instant of its own", async () => {
  await makeJob("One after the other", "true", async () => {
    await page
      .getByRole("group", { name: "Process volumes one at a time" })
      .or(page.getByRole("radiogroup", { name: "Process volumes one at a time" }))
      .getByRole("radio", { name: "On" })
      .click();
  });
  await runEnds(page, "Backed up");
  await expect(page.getByText(/The volumes are of 2 instants/)).toBeVisible();
  const run = await here.json<{ mode: string; volumes: { takenAt: string }[] }>("run", "show", "2");
  expect(run.mode).toBe("oneAtATime");
  expect(run.volumes[0]?.takenAt).not.toBe(run.volumes[1]?.takenAt);
});

test("during a run the cache on the screen is the engine's", async () => {
  const file = join(here.mount("accounts"), "busy.bin");
  writeFileSync(file, randomBytes(24 * MIB), { flush: true });
  const seen = here.path("seen");
  await makeJob("Watched", `while [ ! -e '${seen}' ]; do sleep 0.2; done`);
  await expect(page.getByText("Backing up").first()).toBeVisible({ timeout: 60_000 });
  const load = new Overwriter(file, 1 * MIB);
  try {
    for (let look = 0; look < 3; look += 1) {
      const before = await engineCache("accounts");
      await pause(1500);
      const shown = await shownCache("accounts");
      const after = await engineCache("accounts");
      // The screen shows one decimal, and may be a second behind.
      expect(shown).toBeGreaterThanOrEqual(before - 0.06 * MIB);
      expect(shown).toBeLessThanOrEqual(after + 0.06 * MIB);
    }
  } finally {
    await load.stop();
  }
  expect(await engineCache("accounts")).toBeGreaterThan(1 * MIB);
  writeFileSync(seen, "");
  await runEnds(page, "Backed up");
  runUrls.push(page.url());
});

test("a cache that is too small fails the run with its evidence, and no write", async () => {
  const file = join(here.mount("accounts"), "busy.bin");
  await makeJob("Too small", "sleep 4; find $STILLFRAME_PATHS -type f -exec cat {} + > /dev/null", async () => {
    await page.getByRole("radiogroup", { name: "Maximum size" }).getByRole("radio", { name: "Own" }).click();
    await page.getByLabel("Maximum size, own value").fill("8 MiB");
  });
  await expect(page.getByText("Backing up").first()).toBeVisible({ timeout: 60_000 });
  const load = new Overwriter(file, 8 * MIB);
  try {
    await expect(page.getByRole("link", { name: "Evidence and fixes" })).toBeVisible({ timeout: 60_000 });
  } finally {
    await load.stop();
  }
  expect(load.failures).toEqual([]);
  await page.getByRole("link", { name: "Evidence and fixes" }).click();
  await page.waitForURL(/\/troubleshoot\/.+/);
  failureUrl = page.url();
  await expect(page.getByText("SnapShot CacheFileBroker was unable to allocate cache files")).toBeVisible();
  await expect(page.getByText("8.0 MiB").first()).toBeVisible();
  await page.goto("/troubleshoot");
  await expect(page.locator('a[href^="/troubleshoot/"]')).toHaveCount(1);
});

test("its article can be read, and says what one at a time changes", async () => {
  await page.goto("/articles/a000851c");
  await expect(
    page.getByRole("heading", { name: "Why a cache runs full, and what one at a time changes" }),
  ).toBeVisible();
  await expect(page.getByRole("heading", { name: "What one at a time changes", exact: true })).toBeVisible();
});

test("its action switches the job to one at a time, and the rerun succeeds", async () => {
  await page.goto(failureUrl);
  await page.getByRole("button", { name: "One at a time, and rerun" }).click();
  await page.getByRole("link", { name: "Watch the run" }).click();
  await runEnds(page, "Backed up");
  const runs = await here.json<{ job: string; mode: string; state: string; code: string | null }[]>("run", "list");
  expect(runs.filter((run) => run.job === "Too small").map((run) => [run.mode, run.state, run.code])).toEqual([
    ["oneAtATime", "succeeded", null],
    ["allAtOnce", "failed", "a000851c"],
  ]);
});

test("a file is restored from the browser, byte for byte", async () => {
  await page.goto(runUrls[0] ?? "");
  const choose = page.getByRole("checkbox", { name: /known\.bin$/ });
  const folder = page.getByRole("button", { name: "accounts", exact: true });
  await expect(choose.or(folder).first()).toBeVisible({ timeout: 30_000 });
  if (!(await choose.isVisible())) await folder.last().click();
  await choose.click();
  await page.getByLabel("Restore to").fill(here.path("restored"));
  await page.getByRole("button", { name: "Restore 1 item" }).click();
  await expect(page.getByText("Restored", { exact: true })).toBeVisible({ timeout: 60_000 });
  const restored = readFileSync(join(here.path("restored"), here.mount("accounts"), "known.bin"));
  expect(restored.equals(known)).toBe(true);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`failures and runs have no accessibility violation, ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    const problems: string[] = [];
    for (const place of [failureUrl, ...runUrls]) {
      await page.goto(place);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      problems.push(...(await accessibilityProblems(page)).map((problem) => `${place}: ${problem}`));
    }
    expect(problems).toEqual([]);
  });
}

test("the overview's first load is at most 250 kB of compressed JavaScript", async () => {
  await page.goto("/", { waitUntil: "networkidle" });
  const sizes = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => entry instanceof PerformanceResourceTiming && entry.name.includes(".js"))
      .map((entry) => (entry as PerformanceResourceTiming).encodedBodySize),
  );
  expect(sizes.length).toBeGreaterThan(5);
  expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(250_000);
});

test("a console that is killed during a run is caught up with: no reload, no gap in the log", async () => {
  const go = here.path("go");
  await makeJob("Watched through a restart", `while [ ! -e '${go}' ]; do sleep 0.2; done`);
  await expect(page.getByText("Backing up").first()).toBeVisible({ timeout: 60_000 });
  await page.evaluate(() => Object.assign(window, { neverReloaded: true }));
  await here.restart("console");
  writeFileSync(go, "");
  await runEnds(page, "Backed up");
  expect(await page.evaluate(() => "neverReloaded" in window)).toBe(true);
  const lines = page.getByRole("log").getByRole("listitem");
  const live = await lines.allTextContents();
  expect(live.length).toBeGreaterThan(8);
  await page.reload();
  await expect(lines).toHaveCount(live.length);
  expect(await lines.allTextContents()).toEqual(live);
});

/** Makes a job of both volumes that runs a command, and starts it. */
async function makeJob(
  name: string,
  command: string,
  more: () => Promise<void> = async () => undefined,
): Promise<void> {
  await page.goto("/jobs/new");
  await page.getByLabel("Name", { exact: true }).fill(name);
  for (const volume of ["accounts", "letters"]) await page.getByRole("checkbox", { name: volume }).click();
  await page.getByRole("radio", { name: "any command" }).click();
  await page.getByLabel("Command").fill(command);
  await more();
  await page.getByRole("button", { name: "Save and run" }).click();
  await page.waitForURL(/\/runs\/.+/, { timeout: 30_000 });
}

async function engineCache(volume: string): Promise<number> {
  const open = await here.json<{ volume: string; cacheUsedBytes: number }[]>("snapshot", "list");
  return open.find((snapshot) => snapshot.volume === volume)?.cacheUsedBytes ?? 0;
}

/** The cell "Cache used" of a volume: `12.3 MiB of 150 MiB`. */
async function shownCache(volume: string): Promise<number> {
  const row = page.getByRole("row").filter({ has: page.getByRole("cell", { name: volume, exact: true }) });
  const text = (await row.locator('td[data-label="Cache used"]').first().textContent()) ?? "";
  const [, amount = "", unit = /[KMGT]?i?B/.exec(text)?.[0] ?? ""] = /([\d.]+)(?: ([KMGT]?i?B))?/.exec(text) ?? [];
  const one = parseSize(`1${unit}`);
  if (amount === "" || !one.ok) throw new Error(`no size: ${text}`);
  return Number(amount) * one.bytes;
}
