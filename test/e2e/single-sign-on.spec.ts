/** Single sign-on as people meet it: set up by an administrator, used by somebody new, refused with a reason. */
import { type Browser, expect, type Page, test } from "@playwright/test";
import { Cleanup } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { CLIENT, SignInProvider } from "../fixtures/sign-in-provider";
import { accessibilityProblems } from "./accessibility";
import { signInFirst } from "./console-steps";

test.describe.configure({ mode: "serial" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
const base = `http://127.0.0.1:${port}`;
const cleanup = new Cleanup();
const provider = new SignInProvider();

let administrator: Page;

const newPage = async (browser: Browser) =>
  (await browser.newContext({ baseURL: base, viewport: { width: 1440, height: 1000 } })).newPage();

test.beforeAll(async ({ browser }) => {
  const here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  await provider.start(`${base}/api/auth/single-sign-on/callback`);
  cleanup.add("stop the provider", () => provider.stop());
  administrator = await newPage(browser);
  await signInFirst(administrator, here);
});
test.afterAll(async () => {
  await administrator?.context().close();
  await cleanup.run();
});

test("an administrator sets it up, is told what is missing, and asks the provider whether it answers", async () => {
  await administrator.goto("/settings/single-sign-on");
  expect(await accessibilityProblems(administrator)).toEqual([]);
  await administrator.getByRole("button", { name: "Set it up" }).click();
  await administrator.getByLabel("Issuer").fill("http://login.example.net");
  await administrator.getByRole("button", { name: "Save" }).click();
  await expect(administrator.getByText("must be an https address")).toBeVisible();
  await expect(administrator.getByLabel("Name", { exact: true })).toBeFocused();
  expect(await accessibilityProblems(administrator)).toEqual([]);
  await administrator.getByLabel("Name", { exact: true }).fill("Example");
  await administrator.getByLabel("Issuer").fill(provider.issuer);
  await expect(administrator.getByLabel("Redirect address")).toHaveValue(`${base}/api/auth/single-sign-on/callback`);
  await administrator.getByLabel("Client id").fill(CLIENT.id);
  await administrator.getByLabel("Client secret").fill(CLIENT.secret);
  await administrator.getByLabel("Scopes").fill("openid email profile groups");
  await administrator.getByRole("radio", { name: "By the provider" }).click();
  await administrator.getByRole("button", { name: "Add a rule" }).click();
  await administrator.getByLabel("Value of rule 1").fill("backup");
  await administrator.getByLabel("Role of rule 1").selectOption("operator");
  await administrator.getByRole("button", { name: "Save" }).click();
  await expect(administrator.getByText("Saved. The sign-in page offers it.")).toBeVisible();
  await expect(administrator.getByLabel("Client secret")).toHaveValue("");
  await administrator.getByRole("button", { name: "Ask the saved provider" }).click();
  await expect(administrator.getByText(/^It answers\. People sign in at/)).toBeVisible();
  await administrator.setViewportSize({ width: 360, height: 780 });
  expect(await accessibilityProblems(administrator)).toEqual([]);
});

test("somebody comes by it with the role of their group, to the page that they wanted; others are told why not", async ({
  browser,
}) => {
  provider.asksFirst = true;
  provider.person = { sub: "9", email: "grace@example.org", email_verified: true, name: "Grace Hopper", groups: [] };
  const grace = await newPage(browser);
  await grace.goto("/sign-in?next=%2Fjobs");
  expect(await accessibilityProblems(grace)).toEqual([]);
  await grace.getByRole("link", { name: "Sign in with Example" }).click();
  await grace.getByRole("link", { name: "I am grace@example.org" }).click();
  await expect(grace.getByText("Your account at the provider gives you no role here")).toBeVisible();
  expect(await accessibilityProblems(grace)).toEqual([]);

  provider.person = { ...provider.person, groups: ["backup"] };
  await grace.goto("/sign-in?next=%2Fjobs");
  await grace.getByRole("link", { name: "Sign in with Example" }).click();
  // The provider knows her still.
  await grace.waitForURL(/\/jobs$/);
  await expect(grace.getByRole("navigation", { name: "Places" })).toBeVisible();
  await grace.goto("/settings/account");
  await expect(grace.getByText("None: you sign in by single sign-on")).toBeVisible();
  await expect(grace.getByText("Operator: Runs and cancels jobs")).toBeVisible();
  expect(await accessibilityProblems(grace)).toEqual([]);
  await grace.context().close();
});
