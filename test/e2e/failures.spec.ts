/**
 * Failures by their real causes, as a person meets them in the browser: what the page says, the evidence, the
 * article, and an action that repairs it. Cache failures are in `whole-path.spec.ts`.
 * One small volume; the steps leave it as they found it, and run in order.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page, test } from "@playwright/test";
import { mustRun } from "@/server/worker/programs/run-program";
import { Cleanup } from "../fixtures/cleanup";
import { killWithKeeper, runDirectoryOf } from "../fixtures/engine-process";
import { Installation } from "../fixtures/installation";
import { accessibilityProblems } from "./accessibility";
import { runEnds, signInFirst } from "./console-steps";
import { Overwriter } from "./overwriter";

test.describe.configure({ mode: "serial" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
const base = `http://127.0.0.1:${port}`;
const cleanup = new Cleanup();

let here: Installation;
let page: Page;

test.beforeAll(async ({ browser }) => {
  here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  page = await (await browser.newContext({ baseURL: base, viewport: { width: 1440, height: 1000 } })).newPage();
  await signInFirst(page, here);
  await here.must("practice", "create", "ledger", "--size", "64M");
  writeFileSync(join(here.mount("ledger"), "known.txt"), "known", { flush: true });
  await here.must("job", "create", "--name", "Copy", "--volume", "ledger", "--command", "true", "--min-quiet", "0");
});
test.afterAll(async () => {
  await page?.context().close();
  await cleanup.run();
});

test("an engine that is killed with its keeper is told with its last lines, and restarting it repairs the volume", async () => {
  await killWithKeeper(runDirectoryOf(here.run, "ledger"));
  await run("Copy");
  await opensFailure("OFO-COMM");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^The engine of ledger does not answer/);
  await expect(fact("Not reachable")).toHaveText("engine of ledger");
  await expect(fact("Process")).toHaveText(/^(absent|zombie)$/); // a zombie until its new parent has looked
  await expect(page.getByText("Its last lines")).toBeVisible();
  await readsArticle("A worker or an engine does not answer");
  expect(await accessibilityProblems(page)).toEqual([]);
  await apply("Restart the engine");
  await confirm("Restart the engine");
  await expect(page.getByText("The engine of ledger was restarted.")).toBeVisible({ timeout: 30_000 });
  expect(readFileSync(join(here.mount("ledger"), "known.txt"), "utf8")).toBe("known");
  await apply("Rerun");
  await page.getByRole("link", { name: "Watch the run" }).click();
  await runEnds(page, "Backed up");
});

test("a worker that hangs is noticed, a run on it says since when, and once it is restarted the rerun succeeds", async () => {
  const [worker = -1] = here.processes(/dist\/worker\.js/);
  process.kill(worker, "SIGSTOP");
  try {
    await page.goto("/hosts");
    await expect(page.getByText("Not connected")).toBeVisible({ timeout: 30_000 });
    await run("Copy");
    await opensFailure("OFO-COMM");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("The worker does not answer");
    await expect(page.getByRole("button", { name: /Restart the engine/ })).toHaveCount(0);
    await expect(fact("Not reachable")).toHaveText("worker");
    await expect(fact("Process")).toHaveText("stopped by a signal");
    await expect(fact("Last contact")).toHaveText(/\d\d:\d\d:\d\d/);
    await expect(page.getByText("Its last lines")).toBeVisible();
    await apply("Restart the worker");
    await confirm("Restart the worker");
    await expect(page.getByText(/was restarted and is connected again/)).toBeVisible({ timeout: 90_000 });
  } finally {
    if (here.processes(/dist\/worker\.js/).includes(worker)) process.kill(worker, "SIGCONT");
  }
  await apply("Rerun");
  await page.getByRole("link", { name: "Watch the run" }).click();
  await runEnds(page, "Backed up");
});

test("a host is repaired, and its worker restarted, from the page of the hosts", async () => {
  const [worker] = here.processes(/dist\/worker\.js/);
  await mustRun("umount", [here.mount("ledger")]);
  await page.goto("/hosts");
  await page.getByRole("button", { name: "Repair" }).click();
  await confirm("Repair");
  await expect(page.getByText("All is in order on this host")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(/it was not mounted: mounted at .*ledger again/)).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Restart the worker" }).click();
  await confirm("Restart");
  await expect(page.getByText(/was restarted and is connected again/)).toBeVisible({ timeout: 90_000 });
  expect(here.processes(/dist\/worker\.js/)).not.toContain(worker);
  expect(readFileSync(join(here.mount("ledger"), "known.txt"), "utf8")).toBe("known");
});

test("a backup command that fails is told with its exit code and its last lines", async () => {
  const command = "echo first; echo the tape is torn >&2; exit 7";
  await here.must("job", "create", "--name", "Torn", "--volume", "ledger", "--command", command, "--min-quiet", "0");
  await run("Torn");
  await opensFailure("SF-103");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/exit code 7: the tape is torn/);
  await expect(fact("Exit code")).toHaveText("7");
  await expect(page.locator("pre")).toHaveText(/first\s+the tape is torn/);
});

test("a hook that fails is told, run alone, made a warning, and mended in the job's form", async () => {
  const saying = "echo the ledger is locked >&2; exit 3";
  const job = ["job", "create", "--name", "Flush", "--volume", "ledger", "--command", "true", "--min-quiet", "0"];
  await here.must(...job, "--pre-freeze", saying);
  await run("Flush");
  await opensFailure("SF-104");
  const title = page.getByRole("heading", { level: 1 });
  await expect(title).toHaveText(/^The pre-freeze hook ended with exit code 3 after .*: the ledger is locked$/);
  await expect(fact("Moment")).toHaveText("pre-freeze");
  await expect(fact("Exit code")).toHaveText("3");
  expect(await accessibilityProblems(page)).toEqual([]);
  const failure = page.url();
  await apply("Run the hook alone");
  await expect(page.getByText(/^It fails: the pre-freeze hook ended with exit code 3/)).toBeVisible();
  await expect(page.getByRole("figure").filter({ hasText: "What it said" })).toContainText("the ledger is locked");
  await apply("Only warn, and rerun");
  await page.getByRole("link", { name: "Watch the run" }).click();
  await runEnds(page, "Backed up, with warnings");

  await page.goto(failure);
  const show = page.getByRole("listitem").filter({ hasText: "Change the hooks" });
  await show.getByRole("link", { name: "Open" }).click();
  await page.waitForURL(/\/jobs\/.+/);
  const hook = page.getByRole("group", { name: "pre-freeze hook" });
  await expect(hook.getByLabel("Command")).toHaveValue(saying);
  await expect(hook.getByRole("radio", { name: "warn" })).toBeChecked();
  await hook.getByLabel("Command").fill('echo "flushed $STILLFRAME_VOLUMES"');
  await hook.getByRole("radio", { name: "no snapshot" }).click();
  await hook.getByRole("button", { name: "Run it alone" }).click();
  await expect(hook.getByRole("figure").filter({ hasText: "What it said" })).toContainText("flushed ledger");
  await page.getByRole("button", { name: "Add a hook" }).click();
  const second = page.getByRole("group", { name: "pre-freeze hook 2" });
  await second.getByLabel("When").selectOption({ label: "At the run’s end" });
  const end = page.getByRole("group", { name: "post-run hook" });
  await end.getByLabel("Name").fill("tell");
  await page.getByRole("group", { name: "tell" }).getByRole("radio", { name: "program" }).click();
  await page.getByLabel("Program and arguments, one a line").fill("/bin/echo\ntold that it ended");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByText("Saved.", { exact: true })).toBeVisible();
  await run("Flush");
  await runEnds(page, "Backed up");
  const log = page.getByRole("log");
  await expect(log).toContainText("pre-freeze hook: flushed ledger");
  await expect(log).toContainText("tell: told that it ended");
});

test("a worker that is killed during a run ends it as interrupted, says what was cleaned up, and reruns it", async () => {
  const go = here.path("go");
  const command = `while [ ! -e '${go}' ]; do sleep 0.2; done`;
  await here.must("job", "create", "--name", "Long", "--volume", "ledger", "--command", command, "--min-quiet", "0");
  await run("Long");
  await expect(page.getByText("Backing up").first()).toBeVisible({ timeout: 60_000 });
  const runUrl = page.url();
  await here.restart("worker");
  await page.goto(runUrl);
  await opensFailure("SF-106");
  await expect(fact("Last phase")).toHaveText(/backing up/i);
  await expect(page.getByText("Cleaned up afterwards")).toBeVisible();
  writeFileSync(go, "");
  await apply("Rerun");
  await page.getByRole("link", { name: "Watch the run" }).click();
  await runEnds(page, "Backed up");
});

test("a volume that is never quiet fails as OFO-QUIET, and the ways out of it work", async () => {
  await here.must("practice", "create", "busy", "--size", "64M", "--writer");
  for (const name of ["Patient", "Impatient"]) {
    const quiet = ["--min-quiet", "5000", "--quiet-timeout", "4000", "--at-quiet-timeout", "fail"];
    await here.must("job", "create", "--name", name, "--volume", "busy", "--command", "true", ...quiet);
  }
  await run("Patient");
  await expect(page.getByText(/^(Longest gap so far|No gap seen yet).* 5\.0 s wanted; waited \d s/)).toBeVisible();
  await opensFailure("OFO-QUIET");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/no gap of 5\.0 s between writes within 4\.0 s/);
  await expect(page.getByRole("table", { name: "Who wrote" })).toContainText("busy");
  await page.getByRole("button", { name: "Choose: Ignore writes to these paths" }).click();
  const dialog = page.getByRole("dialog", { name: "Ignore writes to these paths" });
  await expect(dialog.getByRole("button", { name: "Ignore and rerun" })).toBeDisabled();
  await expect(dialog.getByRole("checkbox").first()).toBeVisible();
  await page.keyboard.press("Escape");
  await apply("Use the longest gaps seen");
  await page.getByRole("link", { name: "Watch the run" }).click();
  await runEnds(page, "Backed up");

  const shorter = ["--min-quiet", "1500", "--quiet-timeout", "6000", "--at-quiet-timeout", "fail"];
  await here.must("job", "create", "--name", "Ignoring", "--volume", "busy", "--command", "true", ...shorter);
  const top = join(here.mount("busy"), "top.db");
  writeFileSync(top, Buffer.alloc(2 ** 16));
  const atTheRoot = new Overwriter(top, 2 ** 16);
  cleanup.add("stop the overwriter", () => atTheRoot.stop());
  await run("Ignoring");
  await opensFailure("OFO-QUIET");
  await page.getByRole("button", { name: "Choose: Ignore writes to these paths" }).click();
  for (const box of await dialog.getByRole("checkbox").all()) await box.click();
  const whole = dialog.getByText(`${here.mount("busy")} is the whole of busy: no write to it counts`);
  await dialog.getByRole("radio", { name: "their directories" }).click();
  await expect(dialog.getByRole("list", { name: "Will be ignored" }).getByRole("listitem")).toHaveText([
    here.mount("busy"),
  ]);
  await expect(whole).toBeVisible();
  await dialog.getByRole("radio", { name: "the files" }).click();
  await expect(whole).toHaveCount(0);
  await dialog.getByRole("button", { name: "Ignore and rerun" }).click();
  await page.getByRole("link", { name: "Watch the run" }).click();
  await runEnds(page, "Backed up");
  await expect(page.getByText("taken without a quiet window")).toHaveCount(0);

  await run("Impatient");
  await opensFailure("OFO-QUIET");
  await apply("Freeze anyway");
  await page.getByRole("link", { name: "Watch the run" }).click();
  await runEnds(page, "Backed up");
  await expect(page.getByText("taken without a quiet window")).toBeVisible();
  const number = /run (\d+)/i.exec((await page.getByRole("main").textContent()) ?? "")?.[1] ?? "";
  expect(await here.json("run", "show", number)).toMatchObject({ state: "succeeded", volumes: [{ quiet: "missed" }] });
});

test("a selected path that is gone is told, and its action opens the job at its paths", async () => {
  const gone = join(here.mount("ledger"), "gone");
  await here.must("job", "create", "--name", "Gone", "--volume", "ledger", "--path", gone, "--command", "true");
  await run("Gone");
  await opensFailure("0xa00084af");
  await expect(page.getByRole("heading", { level: 1 })).toContainText(gone);
  await page
    .getByRole("listitem")
    .filter({ hasText: "Show the selection" })
    .getByRole("link", { name: "Open" })
    .click();
  await page.waitForURL(/\/jobs\/.+/);
  await expect(page.getByLabel("Only these paths")).toHaveValue(new RegExp(gone));
});

/** Starts a job from the list; its run's page opens. */
async function run(job: string): Promise<void> {
  await page.goto("/jobs");
  await page.getByRole("button", { name: `Run ${job} now` }).click();
  await page.waitForURL(/\/runs\/.+/, { timeout: 30_000 });
}

/** From the failed run's page to its failure, which shows the code. */
async function opensFailure(code: string): Promise<void> {
  await page.getByRole("link", { name: "Evidence and fixes" }).click({ timeout: 60_000 });
  await page.waitForURL(/\/troubleshoot\/.+/);
  await expect(page.getByRole("main").getByText(code, { exact: true }).first()).toBeVisible();
}

async function readsArticle(title: string): Promise<void> {
  const failure = page.url();
  await page.getByRole("main").getByRole("link", { name: "Read", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
  await page.goto(failure);
}

async function apply(action: string): Promise<void> {
  await page.getByRole("button", { name: `Apply: ${action}`, exact: true }).click();
}

async function confirm(button: string): Promise<void> {
  await page.getByRole("dialog").getByRole("button", { name: button, exact: true }).click();
}

/** The value of a row of the evidence. */
function fact(name: string) {
  return page
    .locator("dl > div")
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator("dd");
}
