/** Several people on one console: an invitation, what each role sees and may do, and the end of an account. */
import { readFileSync } from "node:fs";
import { type Browser, expect, type Page, test } from "@playwright/test";
import { Cleanup } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { accessibilityProblems } from "./accessibility";
import { signInFirst } from "./console-steps";

test.describe.configure({ mode: "serial" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
const base = `http://127.0.0.1:${port}`;
const cleanup = new Cleanup();

let administrator: Page;
let grace: Page;

const newPage = async (browser: Browser) =>
  (await browser.newContext({ baseURL: base, viewport: { width: 1440, height: 1000 } })).newPage();

test.beforeAll(async ({ browser }) => {
  const here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  await here.must("practice", "create", "ledger", "--size", "64M");
  await here.must("job", "create", "--name", "Copy", "--volume", "ledger", "--command", "true", "--min-quiet", "0");
  administrator = await newPage(browser);
  await signInFirst(administrator, here);
  grace = await newPage(browser);
});
test.afterAll(async () => {
  for (const page of [administrator, grace]) await page?.context().close();
  await cleanup.run();
});

test("an administrator invites somebody by a link that works once", async () => {
  await administrator.goto("/settings");
  await administrator.getByRole("link", { name: "Users and roles" }).click();
  await administrator.getByRole("button", { name: "Invite somebody" }).click();
  await administrator.getByLabel("E-mail").fill("not an address");
  await administrator.getByRole("button", { name: "Make the link" }).click();
  await expect(administrator.getByText("must be an e-mail address")).toBeVisible();
  await administrator.getByLabel("E-mail").fill("grace@example.org");
  await administrator.getByRole("button", { name: "Make the link" }).click();
  const link = await administrator.getByLabel("Link").inputValue();
  expect(await accessibilityProblems(administrator)).toEqual([]);
  await administrator.getByRole("button", { name: "Done" }).click();
  await expect(administrator.getByRole("row", { name: /grace@example.org Operator/ })).toBeVisible();

  await grace.goto(link);
  await expect(grace.getByText(/invited to this console as operator/)).toBeVisible();
  expect(await accessibilityProblems(grace)).toEqual([]);
  await expect(grace.getByLabel("E-mail")).toHaveValue("grace@example.org");
  await grace.getByLabel("Your name").fill("Grace Hopper");
  await grace.getByLabel("Password").fill("nanoseconds of wire");
  await grace.getByRole("button", { name: "Create and sign in" }).click();
  await expect(grace.getByRole("navigation", { name: "Places" })).toBeVisible();
  await grace.goto(link);
  await expect(grace.getByText("This link is not valid any more")).toBeVisible();
});

test("an operator runs jobs, and reads what only an administrator changes", async () => {
  await grace.goto("/jobs");
  await expect(grace.getByRole("button", { name: "Run Copy now" })).toBeVisible();
  await expect(grace.getByRole("link", { name: "New job" })).toHaveCount(0);
  await grace.getByRole("link", { name: "Copy", exact: true }).click();
  await expect(grace.getByText("You can look, but not change anything here")).toBeVisible();
  await expect(grace.getByLabel("Name", { exact: true })).toBeDisabled();
  await expect(grace.getByRole("button", { name: "Save", exact: true })).toHaveCount(0);
  expect(await accessibilityProblems(grace)).toEqual([]);
  await grace.goto("/settings");
  await expect(grace.getByText("This needs the role administrator; yours is operator.")).toBeVisible();
  await expect(grace.getByRole("link", { name: "Users and roles" })).toHaveCount(0);
  await grace.goto("/settings/users");
  await expect(grace.getByText("Only administrators see this place")).toBeVisible();
  await grace.goto("/volumes");
  await expect(grace.getByRole("row", { name: /ledger/ })).toBeVisible();
  await expect(grace.getByRole("button", { name: "Attach a volume" })).toHaveCount(0);
});

test("who forgot their password chooses a new one by a link", async () => {
  await administrator.goto("/settings/users");
  await administrator.getByRole("button", { name: "New password for Grace Hopper" }).click();
  const link = await administrator.getByLabel("Link", { exact: true }).inputValue();
  await administrator.getByRole("button", { name: "Done" }).click();
  await grace.goto(link);
  await expect(grace.getByRole("heading", { name: "A new password" })).toBeVisible();
  expect(await accessibilityProblems(grace)).toEqual([]);
  await grace.getByLabel("New password").fill("short");
  await grace.getByRole("button", { name: "Set it and sign in" }).click();
  await expect(grace.getByText("must have at least 10 characters")).toBeVisible();
  await grace.getByLabel("New password").fill("eleven inches of wire");
  await grace.getByRole("button", { name: "Set it and sign in" }).click();
  await expect(grace.getByRole("navigation", { name: "Places" })).toBeVisible();
});

test("a viewer runs nothing; who is removed is out", async () => {
  await administrator.goto("/settings/users");
  const role = administrator.getByLabel("Role of Grace Hopper");
  const saved = administrator.waitForResponse(/users\.setRole/);
  await role.focus();
  await role.selectOption("viewer");
  await saved;
  await expect(role).toHaveValue("viewer");
  await expect(role).toBeFocused();
  expect(await accessibilityProblems(administrator)).toEqual([]);
  await grace.goto("/jobs");
  await expect(grace.getByText("Copy", { exact: true })).toBeVisible();
  await expect(grace.getByRole("button", { name: "Run Copy now" })).toHaveCount(0);

  await administrator.getByRole("button", { name: "Remove Grace Hopper" }).click();
  await administrator.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(administrator.getByRole("row", { name: /Grace/ })).toHaveCount(0);
  await grace.waitForURL(/\/sign-in/, { timeout: 30_000 });
});

test("what was done is in the audit log, with before and after, to be searched and exported", async () => {
  await administrator.goto("/settings/audit");
  const changed = administrator.getByRole("row", { name: /changed a role grace@example\.org/ });
  await changed.getByText("What changed").click();
  await expect(changed.getByText("role", { exact: true })).toBeVisible();
  await expect(changed.getByRole("deletion")).toHaveText("operator");
  await expect(changed.getByRole("insertion")).toHaveText("viewer");
  expect(await accessibilityProblems(administrator)).toEqual([]);
  await administrator.getByLabel("Action").selectOption("invited somebody");
  await expect(administrator.getByRole("row", { name: /invited somebody/ })).toHaveCount(1);
  await expect(changed).toHaveCount(0);
  await administrator.reload();
  await expect(administrator.getByRole("row", { name: /invited somebody/ })).toHaveCount(1);
  const download = administrator.waitForEvent("download");
  await administrator.getByRole("button", { name: "Export as CSV" }).click();
  const text = readFileSync(await (await download).path(), "utf8");
  expect(text.split("\r\n")).toHaveLength(3);
  expect(text).toContain("users.invite,grace@example.org,done");
});

test("a program gets a key of its own, shown once, and loses it again", async ({ request }) => {
  await administrator.goto("/settings");
  await administrator.getByRole("link", { name: "Other programs" }).click();
  await expect(administrator.getByText("No program has a key")).toBeVisible();
  await administrator.getByRole("button", { name: "New key" }).click();
  await administrator.getByRole("checkbox", { name: "Metrics" }).uncheck();
  await administrator.getByRole("button", { name: "Make the key" }).click();
  await expect(administrator.getByText("must not be empty")).toBeVisible();
  await expect(administrator.getByText("choose at least one")).toBeVisible();
  await administrator.getByLabel("Name", { exact: true }).fill("Report");
  await administrator.getByRole("checkbox", { name: "Read" }).check();
  expect(await accessibilityProblems(administrator)).toEqual([]);
  await administrator.getByRole("button", { name: "Make the key" }).click();
  const key = await administrator.getByLabel("Key", { exact: true }).inputValue();
  expect(await accessibilityProblems(administrator)).toEqual([]);
  await administrator.getByRole("button", { name: "Done" }).click();
  await expect(administrator.getByRole("row", { name: /Report.* Read / })).toBeVisible();
  expect(await accessibilityProblems(administrator)).toEqual([]);

  const asReport = { headers: { authorization: `Bearer ${key}` } };
  const jobs = await request.get(`${base}/api/v1/jobs`, asReport);
  expect((await jobs.json()).items).toMatchObject([{ name: "Copy" }]);
  expect((await request.post(`${base}/api/v1/jobs/Copy/runs`, asReport)).status()).toBe(403);
  const dashboard = await request.get(`${base}/monitoring/grafana-dashboard.json`);
  expect((await dashboard.json()).title).toBe("Stillframe");

  await administrator.getByRole("button", { name: "Revoke Report" }).click();
  await administrator.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(administrator.getByText("No program has a key")).toBeVisible();
  expect((await request.get(`${base}/api/v1/jobs`, asReport)).status()).toBe(401);
});

test("one's own password is changed, and other sign-ins end", async ({ browser }) => {
  const elsewhere = await newPage(browser);
  await elsewhere.goto("/sign-in");
  await elsewhere.getByLabel("E-mail").fill("ada@example.org");
  await elsewhere.getByLabel("Password").fill("analytical engine");
  await elsewhere.getByRole("button", { name: "Sign in" }).click();
  await expect(elsewhere.getByRole("navigation", { name: "Places" })).toBeVisible();

  await administrator.goto("/settings/account");
  await expect(administrator.getByText("this one")).toBeVisible();
  await expect(administrator.getByRole("button", { name: /^End the sign-in/ })).toHaveCount(1);
  expect(await accessibilityProblems(administrator)).toEqual([]);
  await administrator.getByLabel("Present password").fill("not this one");
  await administrator.getByLabel("New password").fill("difference engine");
  await administrator.getByRole("button", { name: "Change password" }).click();
  await expect(administrator.getByText("This is not your present password.")).toBeVisible();
  await administrator.getByLabel("Present password").fill("analytical engine");
  await administrator.getByRole("button", { name: "Change password" }).click();
  await expect(administrator.getByText("Your password is changed")).toBeVisible();
  await expect(administrator.getByRole("button", { name: /^End the sign-in/ })).toHaveCount(0);
  // The page asks again by itself, and is sent away.
  await elsewhere.waitForURL(/\/sign-in/, { timeout: 30_000 });
  await elsewhere.context().close();
});
