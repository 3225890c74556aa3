/**
 * A volume's page, from the first minutes of measuring to weeks of it. What is measured now is real; the weeks before
 * are stored as the console itself stores them, for nobody can wait for them.
 */
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import pino from "pino";
import { ActivityStore } from "@/server/console/data/activity";
import { openDatabase } from "@/server/console/data/database";
import { HostStore } from "@/server/console/data/hosts";
import { HistoryRecorder } from "@/server/console/services/history/recorder";
import type { Volume } from "@/server/core/contracts/volume";
import { Cleanup } from "../fixtures/cleanup";
import { officeWeeks } from "../fixtures/history";
import { Installation } from "../fixtures/installation";
import { accessibilityProblems } from "./accessibility";
import { signInFirst } from "./console-steps";

test.describe.configure({ mode: "serial" });

const HOUR = 3_600_000;
const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
const cleanup = new Cleanup();

let here: Installation;
let page: Page;

test.beforeAll(async ({ browser }) => {
  here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  const context = await browser.newContext({
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 1000 },
    timezoneId: "Asia/Tokyo",
  });
  page = await context.newPage();
  await signInFirst(page, here);
  await here.must("practice", "create", "office", "--size", "64M");
});
test.afterAll(async () => {
  await page?.context().close();
  await cleanup.run();
});

test("a volume that was just attached says how long measuring still takes", async () => {
  await page.goto("/volumes");
  await page.getByRole("link", { name: "office", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "office" })).toBeVisible();
  await expect(page.getByText(/of being attached this shows at which hours/)).toBeVisible();
  const listed = await here.json<Volume[]>("volume", "list");
  const { transport, notUblkBecause } = listed.find((one) => one.name === "office") ?? {};
  await expect(page.getByText(transport === "ublk" ? "over ublk" : "over FUSE and a loop device")).toBeVisible();
  await page
    .locator("summary")
    .filter({ hasText: /ublk|loop/ })
    .click();
  // It begins large there.
  if (notUblkBecause) await expect(page.getByText(notUblkBecause.slice(1))).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
});

test("weeks of it are a map in the viewer's time zone that the keyboard goes through, and the job form goes by them", async () => {
  await storeWeeks("office");
  await page.reload();
  const map = page.getByRole("grid", { name: "Hours of the week, Asia/Tokyo" });
  await expect(map.getByRole("gridcell")).toHaveCount(168);
  // At rest on Sundays from 3 o'clock UTC on: noon in Tokyo.
  await expect(map.getByRole("gridcell", { name: /^Sunday, 12:00 to 13:00: .*rests for 1 h 0 min/ })).toBeVisible();
  await map.getByRole("gridcell").first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  await expect(map.getByRole("gridcell", { name: /^Tuesday, 01:00 to 02:00: / })).toBeFocused();
  await expect(page.getByRole("row").filter({ hasText: "1 h 0 min" }).first()).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);

  await page.goto("/jobs/new");
  await page.getByRole("checkbox", { name: "office" }).click();
  await expect(page.getByText(/19 of 20 stretches of 10 s wrote no more than/)).toBeVisible();
  await page
    .getByRole("listitem")
    .filter({ hasText: "Sunday, 12:00 to 13:00" })
    .getByRole("button", { name: "Use it" })
    .click();
  await expect(page.getByText("Sunday at 12:00:")).toBeVisible();
});

/** Two weeks up to this hour, by the console's own recorder. */
async function storeWeeks(volume: string): Promise<void> {
  const db = await openDatabase(join(here.home, "console"));
  try {
    const [host] = await new HostStore(db).list();
    const recorder = new HistoryRecorder(new ActivityStore(db), pino({ level: "silent" }));
    const to = Math.floor(Date.now() / HOUR) * HOUR - HOUR;
    await recorder.receive(host?.id ?? "", "UTC", officeWeeks(volume, to - 14 * 24 * HOUR, to, 200_000));
  } finally {
    await db.$disconnect();
  }
}
