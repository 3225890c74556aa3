/**
 * Lists and what is done with many: search with its state in the address, jobs together, failures of one kind that are
 * acknowledged and settle, and a diagnostics bundle. One small volume; the steps run in order.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { strFromU8, unzipSync } from "fflate";
import { Cleanup } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { accessibilityProblems } from "./accessibility";
import { runEnds, signInFirst } from "./console-steps";

test.describe.configure({ mode: "serial" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
const base = `http://127.0.0.1:${port}`;
const cleanup = new Cleanup();
const SECRET = "a-very-hidden-lantern";

let here: Installation;
let page: Page;

test.beforeAll(async ({ browser }) => {
  here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  page = await (await browser.newContext({ baseURL: base, viewport: { width: 1440, height: 1000 } })).newPage();
  await signInFirst(page, here);
  await here.must("practice", "create", "ledger", "--size", "64M");
  const torn = `if [ -e '${here.path("torn")}' ]; then echo PASSWORD=${SECRET}; echo the tape is torn >&2; exit 7; fi`;
  writeFileSync(here.path("torn"), "");
  for (const [name, command] of [
    ["Torn", torn],
    ["Copy", "true"],
    ["Archive", "true"],
  ] as const)
    await here.must("job", "create", "--name", name, "--volume", "ledger", "--command", command, "--min-quiet", "0");
});
test.afterAll(async () => {
  await page?.context().close();
  await cleanup.run();
});

const row = (name: string) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });

test("a search stays in the address: it can be opened again, and the back button undoes it", async () => {
  await page.goto("/jobs");
  await expect(row("Torn")).toBeVisible();
  await page.getByLabel("Job, host, volume or path").fill("arch");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\?text=arch$/);
  await expect(row("Torn")).toHaveCount(0);
  await expect(row("Archive")).toBeVisible();
  await page.reload();
  await expect(row("Archive")).toBeVisible();
  await expect(row("Torn")).toHaveCount(0);
  await page.getByLabel("State", { exact: true }).selectOption("paused");
  await expect(page.getByRole("heading", { name: "Nothing matches" })).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.goBack();
  await expect(row("Archive")).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/\/jobs$/);
  await expect(row("Torn")).toBeVisible();
  await expect(page.getByLabel("Job, host, volume or path")).toHaveValue("");
});

test("the command palette finds jobs, volumes and what can be done by their names", async () => {
  const palette = page.getByRole("dialog", { name: "Go to or do" });
  await page.keyboard.press("Control+k");
  await page.keyboard.type("ledg");
  await expect(palette.getByRole("option", { name: "ledger volume" })).toBeVisible();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("run copy");
  await expect(palette.getByRole("option")).toHaveText([/Run Copy now/]);
  await page.keyboard.press("Control+a");
  // Enter before the console has answered waits for the answer.
  await page.keyboard.type("arch");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Archive" })).toBeVisible();
  await page.goto("/jobs");
});

test("several jobs are paused together, and each says why it then cannot run", async () => {
  for (const name of ["Copy", "Archive"]) await page.getByRole("checkbox", { name: `Choose ${name}` }).click();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.getByRole("button", { name: "Pause 2 jobs" }).click();
  await expect(page.getByRole("dialog", { name: "2 of 2 jobs paused" })).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Close" }).first().click();
  await expect(row("Copy").getByText("paused")).toBeVisible();
  for (const name of ["Copy", "Archive"]) await page.getByRole("checkbox", { name: `Choose ${name}` }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("button", { name: "Run 2 jobs" }).click();
  await expect(page.getByRole("dialog", { name: "0 of 2 jobs started" })).toBeVisible();
  await expect(page.getByText("“Copy” is paused. Continue it first.")).toBeVisible();
  await page.getByRole("button", { name: "Close" }).first().click();
  await page.getByRole("button", { name: "Continue Copy" }).click();
  await expect(page.getByRole("button", { name: "Run Copy now" })).toBeVisible();
});

test("deleting several jobs asks for words, and says what became of each", async () => {
  await page.getByRole("checkbox", { name: "Choose Archive" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const confirm = page.getByRole("button", { name: "Delete 1 job" });
  await expect(confirm).toBeDisabled();
  await page.getByLabel("Type “delete 1 job” to confirm").fill("delete 1 job");
  await confirm.click();
  await expect(page.getByRole("dialog", { name: "1 of 1 job deleted" })).toBeVisible();
  await page.getByRole("button", { name: "Close" }).first().click();
  await expect(row("Archive")).toHaveCount(0);
});

test("failures of one kind are one entry; acknowledged it no longer counts, and a success settles it", async () => {
  const badge = page.getByRole("link", { name: /Troubleshoot.*1 open failure/ });
  for (let times = 0; times < 2; times += 1) {
    await page.goto("/jobs");
    await page.getByRole("button", { name: "Run Torn now" }).click();
    await page.waitForURL(/\/runs\/.+/);
    await expect(page.getByRole("link", { name: "Evidence and fixes" })).toBeVisible({ timeout: 60_000 });
  }
  await page.goto("/troubleshoot");
  await expect(badge).toBeVisible();
  await expect(page.getByText(/2 times since/)).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Acknowledge SF-103 of Torn" }).click();
  await page.getByLabel("Note").fill("a new tape is on its way");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Acknowledge", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Nothing needs attention" })).toBeVisible();
  await expect(badge).toHaveCount(0);
  await page.getByLabel("State", { exact: true }).selectOption("acknowledged");
  await expect(page.getByText(/Acknowledged by ada@example.org.*“a new tape is on its way”/)).toBeVisible();
  await page.getByRole("button", { name: "Take back" }).click();
  await expect(badge).toBeVisible();

  rmSync(here.path("torn"));
  await page.goto("/jobs");
  await page.getByRole("button", { name: "Run Torn now" }).click();
  await runEnds(page, "Backed up");
  await page.goto("/troubleshoot?state=resolved");
  await expect(page.getByText("resolved since")).toBeVisible();
  await expect(badge).toHaveCount(0);
});

test("the diagnostics of a failure hold what its host says, and no secret", async () => {
  await page.getByRole("link", { name: "Look at SF-103 of Torn" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download diagnostics of SF-103 of Torn" }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toMatch(/^stillframe-SF-103-Torn-.*\.zip$/);
  const files = Object.entries(unzipSync(readFileSync(await saved.path()))).map(
    ([name, bytes]) => [name.replace(/^[^/]+\//, ""), strFromU8(bytes)] as const,
  );
  const text = Object.fromEntries(files);
  expect(Object.keys(text)).toEqual(
    expect.arrayContaining(["failure/events.jsonl", "host/doctor.json", "host/kernel.log"]),
  );
  expect(JSON.parse(text["host/volumes.json"] ?? "")).toContainEqual(expect.objectContaining({ name: "ledger" }));
  expect(text["host/worker.log"]).toContain('"worker"');
  expect(text["failure/failure.json"]).toContain("the tape is torn");
  const hostKey = readFileSync(join(here.home, "worker", "worker.key"), "utf8").trim();
  for (const [name, content] of files)
    for (const secret of [SECRET, hostKey]) expect(content.includes(secret), name).toBe(false);
});

test("runs are listed on a page of their own, by result", async () => {
  await page.goto("/runs");
  await expect(page.getByText("3 runs", { exact: true })).toBeVisible();
  await page.getByLabel("Result").selectOption("failed");
  await expect(page.getByText("2 runs", { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/\?result=failed$/);
  await page.getByLabel("Job, number or code").fill("no such job");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByRole("heading", { name: "Nothing matches" })).toBeVisible();
  await page.getByRole("button", { name: "Show all runs" }).click();
  await expect(page.getByText("3 runs", { exact: true })).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
});
