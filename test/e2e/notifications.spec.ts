/** Notifications as an administrator sets them up: a channel that works, one that fails, and what became of messages. */
import { type Browser, expect, type Page, test } from "@playwright/test";
import { Cleanup } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { HttpReceiver } from "../fixtures/notification-receivers";
import { accessibilityProblems } from "./accessibility";
import { signInFirst } from "./console-steps";

test.describe.configure({ mode: "serial" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
const cleanup = new Cleanup();

let here: Installation;
let receiver: HttpReceiver;
let page: Page;

const newPage = async (browser: Browser) =>
  (
    await browser.newContext({ baseURL: `http://127.0.0.1:${port}`, viewport: { width: 1440, height: 1000 } })
  ).newPage();

test.beforeAll(async ({ browser }) => {
  here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  await here.must("practice", "create", "ledger", "--size", "64M");
  await here.must("job", "create", "--name", "Broken", "--volume", "ledger", "--command", "exit 7", "--min-quiet", "0");
  receiver = await HttpReceiver.start(cleanup);
  page = await newPage(browser);
  await signInFirst(page, here);
});
test.afterAll(async () => {
  await page?.context().close();
  await cleanup.run();
});

const channel = (name: string) => page.getByRole("region", { name: `Channel ${name}` });

test("the empty place says what it is for; a channel that is not whole is not saved", async () => {
  await page.goto("/settings");
  await page.getByRole("link", { name: "Notifications" }).click();
  await expect(page.getByRole("heading", { name: "Nobody is told yet" })).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Add a channel" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("name at least one recipient")).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);

  await page.getByLabel("Kind").selectOption("Webhook");
  await page.getByLabel("Name", { exact: true }).fill("Operations");
  await page.getByLabel("Address").fill(`${receiver.url}/hook`);
  await page.getByLabel("Signing secret").fill("too short");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("must be whsec_ and 24 to 64 bytes in base64")).toBeVisible();
  await page.getByRole("button", { name: "Make one" }).click();
  await expect(page.getByLabel("Signing secret")).toHaveValue(/^whsec_[A-Za-z0-9+/]{43}=$/);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(channel("Operations").getByText("Not used yet")).toBeVisible();
});

test("the test button shows the receiver's own answer, good or bad", async () => {
  receiver.replies.push({ status: 200, body: "thank you" }, { status: 503, body: "closed for today" });
  const send = channel("Operations").getByRole("button", { name: "Send a test to Operations" });
  await send.click();
  await expect(channel("Operations").getByText("HTTP 200 OK: thank you")).toBeVisible();
  await expect(channel("Operations").getByText("Working")).toBeVisible();
  await send.click();
  await expect(channel("Operations").getByText("The test message did not arrive")).toBeVisible();
  await expect(channel("Operations").getByText("Failing")).toBeVisible();
  await expect(
    page.getByRole("row", { name: /Given up HTTP 503 Service Unavailable: closed for today/ }),
  ).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
});

test("a job's page says who is told of its ends; that a message did not arrive stands there and on the overview", async () => {
  await page.goto("/jobs");
  await page.getByRole("link", { name: "Broken", exact: true }).click();
  const told = page.getByRole("listitem").filter({ hasText: /^Operations tells of failed, warning.* and recovered/ });
  await expect(told.getByText("Its last message was not delivered")).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.goto("/");
  await expect(page.getByText("The last message of Operations did not arrive.")).toBeVisible();
  await page.getByRole("link", { name: "Look at channels" }).click();
  await expect(channel("Operations").getByText("Failing")).toBeVisible();
});

test("a job that fails is told, and what did not arrive is sent again by a button", async () => {
  receiver.replies.push({ status: 500, body: "broken", retryAfterSeconds: 3600 });
  await here.cli("job", "run", "Broken", "--wait");
  const row = page.getByRole("row", { name: /“Broken” failed on/ });
  await expect(row.getByText("HTTP 500 Internal Server Error: broken")).toBeVisible();
  await row.getByRole("button", { name: /Try again now/ }).click();
  await expect(row.getByText("Delivered")).toBeVisible();
  await expect(channel("Operations").getByText("Working")).toBeVisible();
});

test("a channel is changed and removed; its secret is not shown again", async () => {
  await channel("Operations").getByRole("button", { name: "Edit Operations" }).click();
  await expect(page.getByLabel("Signing secret")).toHaveValue("");
  await page.getByLabel("Name", { exact: true }).fill("Night watch");
  await page.getByRole("radio", { name: "Some jobs" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("choose at least one job")).toBeVisible();
  await page.getByRole("checkbox", { name: "Broken" }).click();
  await page.getByLabel("The same failure again").selectOption("At most once in 1 day");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(channel("Night watch").getByText("the same failure at most once in 1 day")).toBeVisible();
  await expect(channel("Night watch").getByText("Broken", { exact: true })).toBeVisible();
  await page.reload();
  await channel("Night watch").getByRole("button", { name: "Remove Night watch" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Nobody is told yet" })).toBeVisible();
});
