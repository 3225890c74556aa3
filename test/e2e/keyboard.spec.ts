/** Every flow by the keyboard alone: no mouse, and no field that is filled by another way than by keys. */
import { type BrowserContext, expect, type Page, test } from "@playwright/test";
import type { Volume } from "@/server/core/contracts/volume";
import { ConsoleUnderTest } from "../fixtures/console-under-test";
import { volume } from "../fixtures/link-documents";
import { ScriptedWorker } from "../fixtures/scripted-worker";
import { Keyboard } from "./keyboard";
import { CompanyConsole } from "./places/company-console";
import { jobs } from "./places/company-jobs";
import { runNamed } from "./places/company-runs";

test.use({ trace: "off" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4170);

let company: CompanyConsole;
let context: BrowserContext;
let page: Page;
let keys: Keyboard;

test.beforeAll(async ({ browser }) => {
  company = new CompanyConsole("filled", port);
  await company.start();
  context = await browser.newContext({ baseURL: company.origin, viewport: { width: 1440, height: 900 } });
  await company.signIn(context);
  // Who wants to read a backup needs its password; the company's jobs are written without.
  const { id, input } = jobs.database;
  await client().jobs.update.mutate({ id, job: { ...input, password: "a repository's password" } });
  page = await context.newPage();
  keys = new Keyboard(page);
});
test.afterAll(async () => {
  await context?.close();
  await company?.remove();
});

const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
const field = (name: string) => page.getByLabel(name, { exact: true });
const client = () => company.console.client(company.cookie);
/** Goes to a group of choices and on to one of them. */
async function chooseOf(group: string, choice: string): Promise<void> {
  const radios = page.getByRole("radiogroup", { name: group, exact: true });
  await keys.to(radios.getByRole("radio", { checked: true }));
  await keys.choose(radios.getByRole("radio", { name: choice, exact: true }));
}

test("sign-in leads to the place that was asked for, and sign-out back to it", async ({ browser }) => {
  const anybody = await browser.newContext({ baseURL: company.origin });
  try {
    const there = await anybody.newPage();
    const typing = new Keyboard(there);
    await there.goto("/jobs?text=web");
    await expect(there).toHaveURL(/\/sign-in\?next=/);
    await typing.toAndWrite(there.getByLabel("E-mail"), "ada@example.net");
    await typing.toAndWrite(there.getByLabel("Password"), "correct horse battery");
    await typing.press("Enter");
    await expect(there).toHaveURL(/\/jobs\?text=web$/);
    await expect(there.getByRole("link", { name: "Web content", exact: true })).toBeVisible();
    await typing.toAndPress(there.getByRole("button", { name: "Sign out" }), "Enter");
    await expect(there).toHaveURL(/\/sign-in/);
  } finally {
    await anybody.close();
  }
});

test("from the first start to a run that is cancelled", async ({ browser }) => {
  const first = new ConsoleUnderTest();
  const worker = new ScriptedWorker();
  const made: Volume[] = [];
  worker.answers["practice.create"] = ({ name, fs }: { name: string; fs: "ext4" | "xfs" }) => {
    made.push({ ...volume(name), fsType: fs, practice: true, writer: true });
    worker.volumes([...made]);
    return made.at(-1);
  };
  worker.answers["volume.list"] = () => made;
  worker.answers["run.cancel"] = () => ({});
  first.port = port + 1;
  const visitor = await browser.newContext();
  try {
    await first.startProcess({}, { pages: true });
    await worker.connect(first.origin, first.hostKey);
    const there = await visitor.newPage();
    const typing = new Keyboard(there);
    await there.goto(`${first.origin}/welcome?token=${first.signInToken()}`);
    await typing.toAndWrite(there.getByLabel("Your name"), "Ada");
    await typing.toAndWrite(there.getByLabel("E-mail"), "ada@example.net");
    await typing.toAndWrite(there.getByLabel("Password"), "correct horse battery");
    await typing.press("Enter");
    await typing.toAndPress(there.getByRole("button", { name: "Create both volumes" }), "Enter");
    const frozen = there.getByRole("radiogroup", { name: "Frozen" });
    await typing.to(frozen.getByRole("radio", { name: "All at once" }));
    await typing.choose(frozen.getByRole("radio", { name: "One at a time" }));
    expect(made.map(({ name, fsType }) => [name, fsType])).toEqual([
      ["accounts", "ext4"],
      ["letters", "xfs"],
    ]);
    await typing.toAndPress(there.getByRole("button", { name: "Create the job and run it" }), "Enter");
    await there.waitForURL(/\/runs\/.+/);
    await typing.toAndPress(there.getByRole("button", { name: "Cancel run" }), "Enter");
    const dialog = there.getByRole("dialog", { name: /^Cancel run 1 of/ });
    await typing.staysIn(dialog);
    await typing.press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(there.getByRole("button", { name: "Cancel run" })).toBeFocused();
    await typing.press("Enter");
    await typing.toAndPress(dialog.getByRole("button", { name: "Cancel the run" }), "Enter");
    await expect(dialog).toHaveCount(0);
    await expect
      .poll(() => worker.received.some((one) => one.type === "request" && one.method === "run.cancel"))
      .toBe(true);
  } finally {
    await visitor.close();
    worker.drop();
    await first.remove();
  }
});

test("a job with its open-file settings, its schedule and what it keeps", async () => {
  await keys.open("/jobs", "Jobs & runs");
  await keys.toAndPress(page.getByRole("link", { name: "New job" }), "Enter");
  await expect(page.getByRole("heading", { level: 1, name: "New job" })).toBeVisible();
  await keys.toAndWrite(field("Name"), "By the keyboard");
  await keys.toAndPress(page.getByRole("checkbox", { name: "/home" }), "Space");
  await keys.toAndPress(page.getByRole("checkbox", { name: "/var/lib/postgresql" }), "Space");
  await keys.to(page.getByRole("radio", { name: "restic repository" }));
  await keys.toAndWrite(field("Repository"), "/backup/keyboard");
  await keys.toAndWrite(field("Password"), "a repository's password");
  await keys.to(page.getByRole("radio", { name: "all stay" }));
  await keys.choose(page.getByRole("radio", { name: "remove what is not wanted" }));
  await keys.toAndWrite(field("Days to keep one of"), "9");
  await keys.to(page.getByRole("radio", { name: "By hand" }));
  await keys.choose(page.getByRole("radio", { name: "Chosen days" }));
  await keys.toAndWrite(field("Times"), "03:15");
  await chooseOf("Process volumes one at a time", "on");
  await chooseOf("Minimum quiet time", "Own");
  await keys.toAndWrite(field("Minimum quiet time, own value"), "0.5");
  await chooseOf("And then", "fail with OFO-QUIET");
  await chooseOf("Ignored paths", "Own");
  await keys.to(field("Ignored paths, own value"));
  await page.keyboard.type("/home/.cache\n\n /var/lib/postgresql/log ");
  await keys.to(field("Cache location"));
  await keys.press("ArrowDown");
  await chooseOf("Maximum size", "Own");
  await keys.toAndWrite(field("Maximum size, own value"), "2 GiB");
  await chooseOf("When the cache is full", "hold writers");
  await keys.toAndPress(button("Create this job"), "Enter");
  await expect(page.getByRole("heading", { level: 1, name: "By the keyboard" })).toBeVisible();
  const job = (await client().jobs.list.query()).find(({ name }) => name === "By the keyboard");
  expect(job).toMatchObject({
    selection: { volumes: ["/home", "/var/lib/postgresql"] },
    destination: { kind: "restic", repository: "/backup/keyboard", retention: { daily: 9 } },
    schedule: { kind: "daily", times: ["03:15"] },
    openFile: {
      oneAtATime: "on",
      quiet: {
        minimumMs: 500,
        timeoutMs: "inherit",
        atTimeout: "fail",
        ignorePaths: ["/home/.cache", "/var/lib/postgresql/log"],
      },
      cache: { location: "/var/lib/stillframe/cache", maxBytes: 2 * 1024 ** 3, whenFull: "hold" },
    },
  });
});

test("what a job keeps: a number that cannot be is named, and what was saved is shown again", async () => {
  await keys.open(`/jobs/${jobs.database.id}`, "Nightly database");
  await keys.to(page.getByRole("radio", { name: "all stay" }));
  await keys.choose(page.getByRole("radio", { name: "remove what is not wanted" }));
  await expect(page.getByText("Keeps the newest 3 backups, and the newest of each of 7 days")).toBeVisible();
  await keys.toAndWrite(field("Days to keep one of"), "99999");
  await keys.toAndPress(button("Save changes"), "Enter");
  await expect(page.getByText("Days to keep one of: must be at most 9999")).toBeVisible();
  await expect(field("Days to keep one of")).toHaveAttribute("aria-invalid", "true");
  await expect(field("Weeks to keep one of")).not.toHaveAttribute("aria-invalid");
  await keys.to(field("Newest backups to keep"), "Shift+Tab");
  for (const name of ["Newest backups", "Days", "Weeks", "Months"]) {
    await keys.write("0");
    if (name !== "Months") await keys.press("Tab");
  }
  await expect(page.getByText("Nothing would stay: every backup would be removed.")).toBeVisible();
  await keys.to(field("Days to keep one of"), "Shift+Tab");
  await keys.write("14");
  await keys.toAndPress(page.getByRole("switch", { name: "Free their room at once" }), "Space");
  await keys.toAndPress(button("Save changes"), "Enter");
  await expect(page.getByText("Saved.", { exact: true })).toBeVisible();
  await page.reload();
  await expect(field("Days to keep one of")).toHaveValue("14");
  await expect(page.getByText("Keeps the newest of each of 14 days.")).toBeVisible();
  await expect(page.getByRole("switch", { name: "Free their room at once" })).toBeChecked();
});

test("jobs are chosen and paused together, and the focus comes back to the page", async () => {
  await keys.open("/jobs", "Jobs & runs");
  await keys.toAndPress(page.getByRole("checkbox", { name: "Choose Documents" }), "Space");
  await keys.toAndPress(page.getByRole("checkbox", { name: "Choose Home directories, hourly" }), "Space");
  await keys.to(button("Pause"), "Shift+Tab");
  await keys.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Pause 2 jobs?" });
  await keys.staysIn(dialog);
  await keys.to(dialog.getByRole("button", { name: "Pause 2 jobs" }));
  await keys.press("Enter");
  const done = page.getByRole("dialog", { name: "2 of 2 jobs paused" });
  await expect(done).toBeVisible();
  await keys.staysIn(done);
  await keys.press("Escape");
  await expect(done).toHaveCount(0);
  // The bar with the button is gone with the choice.
  await expect(page.locator("main")).toBeFocused();
  await keys.toAndPress(button("Continue Documents"), "Enter");
  await expect(button("Run Documents now")).toBeVisible();
});

test("exact values are read from the lanes", async () => {
  await keys.open(`/runs/${runNamed("succeeded")}`, /Nightly database/);
  const slider = page.getByRole("slider", { name: "Time in the picture" });
  await keys.to(slider);
  await keys.press("Home");
  const said = () => slider.getAttribute("aria-valuetext");
  const begin = await said();
  await keys.press("PageUp", "ArrowRight");
  expect(await said()).not.toBe(begin);
  const all = await said();
  await keys.press("ArrowDown");
  await expect.poll(said).not.toBe(all);
  expect(await said()).toContain("/home");
  await keys.press("+");
  await expect(button("Show everything")).toBeEnabled();
  await keys.press("0");
  await expect(button("Show everything")).toBeDisabled();
});

test("files are restored", async () => {
  await keys.open(`/runs/${runNamed("succeeded")}`, /Nightly database/);
  await keys.toAndPress(page.getByRole("checkbox", { name: "Choose /home" }), "Space");
  await keys.toAndWrite(field("Restore to"), "/var/tmp/restored");
  await keys.toAndPress(button("Restore 1 item"), "Enter");
  await expect(page.getByText("Restored", { exact: true })).toBeVisible();
  await expect(button("Restore 1 item")).toBeFocused();
});

test("a failure is acknowledged, repaired and run again", async () => {
  await keys.open("/troubleshoot", "Troubleshoot");
  await keys.toAndPress(page.getByRole("link", { name: "Fix OFO-QUIET of Web content" }), "Enter");
  await page.waitForURL(/\/troubleshoot\/.+/);
  const acknowledge = button(/^Acknowledge /);
  await keys.toAndPress(acknowledge, "Enter");
  const dialog = page.getByRole("dialog", { name: "Acknowledge this failure?" });
  await keys.staysIn(dialog);
  await keys.press("Escape");
  await expect(acknowledge).toBeFocused();
  await keys.press("Enter");
  await keys.toAndWrite(dialog.getByLabel("Note"), "nginx is being moved");
  await keys.toAndPress(dialog.getByRole("button", { name: "Acknowledge", exact: true }), "Enter");
  await expect(page.getByText(/“nginx is being moved”/)).toBeVisible();
  await keys.toAndPress(button("Apply: Rerun"), "Enter");
  await keys.toAndPress(page.getByRole("link", { name: "Watch the run" }), "Enter");
  await page.waitForURL(/\/runs\/.+/);
});

test("the palette finds, does, and gives the focus back", async () => {
  await keys.open("/volumes", "Volumes");
  const search = page.getByRole("searchbox").or(page.getByRole("textbox")).first();
  await keys.to(search);
  await keys.press("Control+k");
  const palette = page.getByRole("dialog", { name: "Go to or do" });
  await keys.staysIn(palette);
  await keys.press("Escape");
  await expect(palette).toHaveCount(0);
  await expect(search).toBeFocused();
  await keys.press("Control+k");
  await keys.write("mailboxes");
  await expect(palette.getByRole("option", { name: /^Mailboxes/ })).toHaveAttribute("aria-selected", "true");
  await keys.press("ArrowDown");
  await expect(palette.getByRole("option", { name: /^Run Mailboxes now/ })).toHaveAttribute("aria-selected", "true");
  await keys.press("ArrowUp", "Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Mailboxes" })).toBeVisible();
});

test("settings: dialogs hold the focus and give it back", async () => {
  await keys.open("/settings/users", "Users and roles");
  const invite = button("Invite somebody");
  await keys.toAndPress(invite, "Enter");
  const dialog = page.getByRole("dialog");
  await keys.staysIn(dialog);
  await keys.press("Escape");
  await expect(invite).toBeFocused();
  await keys.press("Enter");
  await keys.toAndWrite(dialog.getByLabel("E-mail"), "katherine@example.net");
  await keys.to(dialog.getByLabel("Role"));
  await keys.press("Home");
  await keys.toAndPress(dialog.getByRole("button", { name: "Make the link" }), "Enter");
  await expect(dialog.getByLabel("Link")).toBeVisible();
  await keys.toAndPress(dialog.getByRole("button", { name: "Done" }), "Enter");
  await expect(dialog).toHaveCount(0);
  await expect(invite).toBeFocused();
  await expect(page.getByRole("row", { name: /katherine@example.net Viewer/ })).toBeVisible();
});

test("settings: a default for all jobs is changed, refused where it cannot be, and taken back", async () => {
  const minimum = async () => (await client().settings.get.query()).openFile.quiet.minimumMs;
  await keys.open("/settings", "Settings");
  await keys.toAndWrite(field("Minimum quiet time"), "75");
  await keys.toAndPress(button("Save defaults"), "Enter");
  await expect(page.getByText("must be at most 60 s")).toBeVisible();
  await expect(field("Minimum quiet time")).toBeFocused();
  await keys.write("0.75");
  await expect(page.getByText(/^Changes \d+ jobs?, each from its next run on\.$/)).toBeVisible();
  await keys.press("Enter");
  await expect(page.getByText("Saved.", { exact: true })).toBeVisible();
  expect(await minimum()).toBe(750);
  await keys.open(`/jobs/${jobs.web.id}`, "Web content");
  await expect(page.getByRole("radio", { name: "Inherit (750 ms)" })).toBeChecked();
  await keys.open("/settings", "Settings");
  await keys.toAndWrite(field("Minimum quiet time"), "0.25");
  await keys.press("Enter");
  await expect.poll(minimum).toBe(250);
  await expect(button("Undo")).toBeFocused();
  await keys.press("Enter");
  await expect.poll(minimum).toBe(750);
  await expect(page.getByRole("form", { name: "Advanced Open File, for all jobs" })).toBeFocused();
  await expect(field("Minimum quiet time")).toHaveValue("0.75");
  await client().settings.set.mutate({ openFile: { quiet: { minimumMs: 250 } } });
});

test("settings: a cache location that is removed leaves the focus at those that stay", async () => {
  await keys.open("/settings", "Settings");
  await keys.toAndWrite(field("Another directory"), "/srv/one");
  await keys.press("Enter");
  const remove = button("No longer allow /srv/one");
  await expect(remove).toBeEnabled();
  await keys.to(remove, "Shift+Tab");
  await keys.press("Enter");
  await expect(remove).toHaveCount(0);
  await expect(page.getByRole("list", { name: "Cache locations" })).toBeFocused();
});

test("the menus: places, theme, and on a narrow screen behind a button", async () => {
  await page.goto("/hosts");
  await keys.toAndPress(button("Dark theme"), "Enter");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.setViewportSize({ width: 360, height: 780 });
  await keys.open("/hosts", "Hosts");
  const menu = button("Open the navigation");
  await keys.to(menu, "Shift+Tab");
  await keys.press("Enter");
  const places = page.getByRole("dialog", { name: "Places" });
  await keys.staysIn(places);
  await keys.press("Escape");
  await expect(menu).toBeFocused();
  await keys.press("Enter");
  await keys.toAndPress(places.getByRole("link", { name: "Cache" }), "Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Cache" })).toBeVisible();
  await page.setViewportSize({ width: 1440, height: 900 });
});
