/**
 * A job that starts by itself: its schedule is set in the browser, its next runs are told everywhere, and a time that
 * came while the console was down is made up for. One small volume; the steps run in order.
 */
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import Sqlite from "better-sqlite3";
import { Cleanup } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { accessibilityProblems } from "./accessibility";
import { runEnds, signInFirst } from "./console-steps";

test.describe.configure({ mode: "serial" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
const base = `http://127.0.0.1:${port}`;
const cleanup = new Cleanup();
const HOUR_MS = 3_600_000;

let here: Installation;
let page: Page;

test.beforeAll(async ({ browser }) => {
  here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  page = await (await browser.newContext({ baseURL: base, viewport: { width: 1440, height: 1000 } })).newPage();
  await signInFirst(page, here);
  await here.must("practice", "create", "ledger", "--size", "64M");
  for (const name of ["Copy", "Archive"])
    await here.must("job", "create", "--name", name, "--volume", "ledger", "--command", "true", "--min-quiet", "0");
});
test.afterAll(async () => {
  await page?.context().close();
  await cleanup.run();
});

const row = (name: string) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
const saved = () => expect(page.getByText("Saved.", { exact: true })).toBeVisible();

test("a schedule is chosen in words, shows its next runs, and what cannot be is told at the field", async () => {
  await page.goto("/jobs");
  await row("Copy").getByRole("link", { name: "Copy", exact: true }).click();
  await page.getByRole("radio", { name: "Chosen days" }).click();
  for (const day of ["Saturday", "Sunday"]) await page.getByRole("button", { name: day }).click();
  await page.getByLabel("Times").fill("2:00, 25:00");
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByText("must be a time from 00:00 to 23:59")).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByLabel("Times").fill("2:00, 14:30");
  await page.getByRole("radio", { name: "another" }).click();
  await page.getByLabel("Its name").fill("Asia/Tokyo");
  await expect(page.getByText("Monday to Friday at 02:00 and 14:30:")).toBeVisible();
  await expect(page.getByText(/^\w{3},? \d+ \w+,? (at )?(02:00|14:30) GMT\+9/)).toHaveCount(3);
  await page.getByRole("button", { name: "Save changes" }).click();
  await saved();
});

test("the list tells and orders what starts next; on the command line too", async () => {
  await page.goto("/jobs?sort=nextRun");
  await expect(row("Copy").getByText("Monday to Friday at 02:00 and 14:30")).toBeVisible();
  await expect(row("Archive").getByText("by hand")).toBeVisible();
  await expect(page.getByRole("row").nth(1)).toContainText("Copy");
  expect(await accessibilityProblems(page)).toEqual([]);
  const shown = await here.json<{ nextRunAt: string; schedule: object }>("job", "show", "Copy");
  expect(shown.schedule).toMatchObject({ kind: "daily", times: ["02:00", "14:30"], zone: "Asia/Tokyo" });
  expect(shown.nextRunAt).toMatch(/T(17:00|05:30):00\.000Z$/);
  // Twelve hours away, so that no time of its own comes into the next step.
  const far = new Date(Date.now() + 12 * HOUR_MS).toISOString().slice(11, 16);
  const when = ["--schedule", `daily ${far}`, "--time-zone", "UTC"];
  await here.must(
    "job",
    "create",
    "--name",
    "Late",
    "--volume",
    "ledger",
    "--command",
    "true",
    "--min-quiet",
    "0",
    ...when,
  );
  const refused = await here.cli(
    "job",
    "create",
    "--name",
    "x",
    "--volume",
    "ledger",
    "--command",
    "true",
    "--schedule",
    "now",
  );
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain("Write one of");
});

test("what came due while the console was down is started when it is back, and says so", async () => {
  const db = new Sqlite(join(here.home, "console", "console.db"));
  const dueAt = new Date(Date.now() - 600_000).toISOString().replace("Z", "+00:00");
  expect(db.prepare(`UPDATE "Job" SET "nextRunAt" = ? WHERE "name" = 'Late'`).run(dueAt).changes).toBe(1);
  db.close();
  await here.restart("console");
  await page.goto("/runs");
  await page.getByRole("link", { name: "Late" }).first().click();
  await runEnds(page, "Backed up");
  await expect(page.getByText(/^started by its schedule, due /)).toBeVisible();
  await expect(page.getByText(/^due at .* late\. /)).toBeVisible();
  await page.goto("/");
  const next = page.locator("section").filter({ has: page.getByRole("heading", { name: "Next runs" }) });
  await expect(next.getByRole("link", { name: "Late" })).toBeVisible();
  await expect(next.getByRole("link", { name: "Copy" })).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
});
