/**
 * The lanes of a finished run: zoom and movement by buttons, wheel, pointer and keys; exact values, the same in the
 * exported CSV; the SVG as a picture of its own; the table. One small volume that is written to.
 */
import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { formatBytesOf, formatRate } from "@/app/components/format";
import { Cleanup } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { accessibilityProblems } from "./accessibility";
import { runEnds, signInFirst } from "./console-steps";

test.describe.configure({ mode: "serial" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4150);
const cleanup = new Cleanup();

let here: Installation;
let page: Page;

test.beforeAll(async ({ browser }) => {
  here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  const context = await browser.newContext({
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 1000 },
    timezoneId: "UTC",
  });
  page = await context.newPage();
  await signInFirst(page, here);
  await here.must("practice", "create", "ledger", "--size", "64M", "--writer");
  await here.must(
    ...["job", "create", "--name", "Ledger, nightly", "--volume", "ledger"],
    ...["--command", "sleep 4", "--min-quiet", "0"],
  );
});
test.afterAll(async () => {
  await page?.context().close();
  await cleanup.run();
});

const slider = () => page.getByRole("slider", { name: "Time in the picture" });
const whole = () => page.getByRole("button", { name: "Show everything" });
const rows = () => page.getByRole("region", { name: "Writes and caches in the time that is shown" }).getByRole("row");

/** First and last time of the table that follows the picture, milliseconds of the day. */
async function shown(): Promise<{ first: number; last: number }> {
  const times = await rows().locator("td:first-child").allTextContents();
  const ms = (text = "") => {
    const [hours = 0, minutes = 0, seconds = 0] = text.split(":").map(Number);
    return ((hours * 60 + minutes) * 60 + seconds) * 1000;
  };
  return { first: ms(times[0]), last: ms(times.at(-1)) };
}

test("a live run can be zoomed, and follows the present again by one button", async () => {
  await page.goto("/jobs");
  await page.getByRole("button", { name: "Run Ledger, nightly now" }).click();
  await page.waitForURL(/\/runs\/.+/);
  await expect(whole()).toBeDisabled();
  await runEnds(page, "Backed up");
  await expect(page.getByRole("button", { name: "Live", exact: true })).toHaveCount(0);
  await page.reload();
  await page.getByText("The same as a table").click();
  await expect(rows()).toHaveCount(13);
});

test("buttons, keys, wheel and pointer show a part of the time, and the table with it", async () => {
  const all = await shown();
  await page.getByRole("button", { name: "Zoom in" }).click();
  await expect(whole()).toBeEnabled();
  const half = await shown();
  expect((half.last - half.first) / (all.last - all.first)).toBeCloseTo(0.5, 1);
  await slider().focus();
  await page.keyboard.press("Shift+ArrowLeft");
  await expect.poll(async () => (await shown()).first).toBeLessThan(half.first);
  await page.keyboard.press("0");
  await expect(whole()).toBeDisabled();
  expect(await shown()).toEqual(all);
  await page.keyboard.press("+");
  await expect(whole()).toBeEnabled();
  await page.keyboard.press("-");
  await expect(whole()).toBeDisabled();

  await slider().scrollIntoViewIfNeeded();
  const box = await slider().boundingBox();
  if (!box) throw new Error("the picture is not there");
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await page.mouse.move(middle.x, middle.y);
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -400);
  await page.keyboard.up("Control");
  await expect(whole()).toBeEnabled();
  const near = await shown();
  await page.mouse.down();
  await page.mouse.move(middle.x + 150, middle.y, { steps: 5 });
  await page.mouse.up();
  await expect.poll(async () => (await shown()).first).toBeLessThan(near.first);
  await whole().click();
});

test("the cursor stands on measurements, and says what the CSV says", async () => {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the values as CSV" }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe("Ledger-nightly-run-1.csv");
  const lines = readFileSync(await saved.path(), "utf8")
    .trimEnd()
    .split("\r\n");
  expect(lines[0]).toBe(
    "volume,at,event,writes,writtenBytes,bytesPerSecond,writesPerSecond,peakBytesPerSecond,cacheUsedBytes,cacheMaxBytes",
  );
  const cells = lines.slice(1).map((line) => line.split(","));
  expect(cells.filter(([, , event]) => event === "frozen")).toHaveLength(1);
  const measured = cells.filter(([, , event]) => event === "measured");
  await slider().focus();
  await page.keyboard.press("Home");
  const seen = new Set<string>();
  for (let step = 0; step < 12; step++) {
    const said = (await slider().getAttribute("aria-valuetext")) ?? "";
    const row = measured.find(([, at = ""]) => said.startsWith(at.slice(11, -1)));
    expect(row, said).toBeDefined();
    const [, at = "", , , , rate = "", writes, , used, most] = row ?? [];
    seen.add(at);
    if (rate !== "" && writes !== "0") expect(said).toContain(formatRate(Number(rate)));
    if (Number(used) > 0) expect(said).toContain(formatBytesOf(Number(used), Number(most)));
    await page.keyboard.press("ArrowRight");
  }
  expect(seen.size).toBeGreaterThan(1);
  await page.keyboard.press("Escape");
});

test("the exported picture is a well-formed SVG with its colours written out", async () => {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download the picture as SVG" }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe("Ledger-nightly-run-1.svg");
  const svg = readFileSync(await saved.path(), "utf8");
  const parsed = await page.evaluate((text) => {
    const drawing = new DOMParser().parseFromString(text, "image/svg+xml");
    return {
      root: drawing.documentElement.localName,
      space: drawing.documentElement.namespaceURI,
      title: drawing.querySelector("title")?.textContent,
      words: [...drawing.querySelectorAll("text")].map((word) => word.textContent),
    };
  }, svg);
  expect(parsed).toMatchObject({ root: "svg", space: "http://www.w3.org/2000/svg" });
  expect(parsed.title).toMatch(/^Ledger, nightly on .+, run 1, /);
  expect(parsed.words).toContain("ledger");
  expect(svg).not.toMatch(/var\(|class=/);
});

test("axe finds nothing wrong with picture, cursor and tables, in both themes and narrow", async () => {
  await slider().focus();
  await page.keyboard.press("End");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await accessibilityProblems(page)).toEqual([]);
  }
  await page.setViewportSize({ width: 360, height: 780 });
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});
