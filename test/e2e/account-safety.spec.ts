/** What protects an account in the browser: a second factor, passkeys, waiting after wrong passwords, scripts. */
import { readFileSync } from "node:fs";
import { type Browser, expect, type Page, test } from "@playwright/test";
import { Cleanup } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";
import { freshTotp, wrongCode } from "../fixtures/totp";
import { accessibilityProblems } from "./accessibility";
import { signInFirst } from "./console-steps";

test.describe.configure({ mode: "serial" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4120);
/** By name: browsers keep no passkeys for an address. */
const base = `http://localhost:${port}`;
const cleanup = new Cleanup();
const password = "analytical engine";

let page: Page;
let secret = "";
let backupCodes: string[] = [];

const newPage = async (browser: Browser) =>
  (await browser.newContext({ baseURL: base, viewport: { width: 1440, height: 1000 } })).newPage();
const places = (of: Page) => of.getByRole("navigation", { name: "Places" });

test.beforeAll(async ({ browser }) => {
  const here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  page = await newPage(browser);
  await signInFirst(page, here, base);
});
test.afterAll(async () => {
  await page?.context().close();
  await cleanup.run();
});

test("a second factor is set up with an app's code, and its backup codes are shown once", async () => {
  await page.goto("/settings/account");
  await page.getByRole("button", { name: "Set it up" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Your password").fill("not this one");
  await dialog.getByRole("button", { name: "Continue" }).click();
  await expect(dialog.getByText("This is not your present password.")).toBeVisible();
  await dialog.getByLabel("Your password").fill(password);
  await dialog.getByRole("button", { name: "Continue" }).click();
  await expect(dialog.getByRole("img", { name: /QR code/ })).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
  secret = ((await dialog.locator("p.font-mono").textContent()) ?? "").replaceAll(" ", "");
  await dialog.getByLabel("Code from your app").fill(wrongCode(secret));
  await dialog.getByRole("button", { name: "Turn it on" }).click();
  await expect(dialog.getByText(/This code is not right/)).toBeVisible();
  await dialog.getByLabel("Code from your app").fill(await freshTotp(secret));
  await dialog.getByRole("button", { name: "Turn it on" }).click();
  const codes = dialog.getByRole("list", { name: "Backup codes" }).getByRole("listitem");
  await expect(codes).toHaveCount(10);
  backupCodes = await codes.allTextContents();
  expect(await accessibilityProblems(page)).toEqual([]);
  const download = page.waitForEvent("download");
  await dialog.getByRole("link", { name: "Download" }).click();
  expect(readFileSync(await (await download).path(), "utf8")).toContain(backupCodes[9]);
  await dialog.getByRole("button", { name: "I have kept them" }).click();
  await expect(page.getByText("On. 10 backup codes left")).toBeVisible();
  expect(await accessibilityProblems(page)).toEqual([]);
});

test("a sign-in asks for the code and leads where one wanted to go; a backup code does too", async ({ browser }) => {
  const phone = await newPage(browser);
  await phone.goto("/sign-in?next=%2Fvolumes");
  await typePassword(phone, password);
  await phone.waitForURL(/\/sign-in\/code/);
  await expect(phone.getByRole("heading", { name: "One more step" })).toBeVisible();
  expect(await accessibilityProblems(phone)).toEqual([]);
  await phone.getByLabel("Code from your app").fill(wrongCode(secret));
  await phone.getByRole("button", { name: "Sign in" }).click();
  await expect(phone.getByText(/This code is not right/)).toBeVisible();
  await phone.getByLabel("Code from your app").fill(await freshTotp(secret));
  await phone.getByRole("button", { name: "Sign in" }).click();
  await phone.waitForURL(/\/volumes$/);
  await expect(places(phone)).toBeVisible();
  await signOutUnseen(phone);

  await phone.goto("/sign-in");
  await typePassword(phone, password);
  await phone.waitForURL(/\/sign-in\/code/);
  await expect(async () => {
    const other = phone.getByRole("button", { name: "Use a backup code instead" });
    if (await other.isVisible()) await other.click({ timeout: 2_000 });
    await expect(phone.getByLabel("Backup code")).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await phone.getByLabel("Backup code").fill(backupCodes[0] ?? "");
  await phone.getByRole("button", { name: "Sign in" }).click();
  await expect(places(phone)).toBeVisible();
  await phone.context().close();
});

test("a passkey is added, named and lets one in without password and code; removed it does not", async () => {
  const device = await page.context().newCDPSession(page);
  await device.send("WebAuthn.enable");
  await device.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto("/settings/account");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("dialog").getByLabel("Name").fill("Laptop");
  await page.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Rename Laptop" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Ada’s laptop");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await expect(page.getByRole("button", { name: "Remove Ada’s laptop" })).toBeVisible();

  await signOutUnseen(page);
  await page.goto("/sign-in?next=%2Fsettings%2Faccount");
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.waitForURL(/\/settings\/account$/);
  await page.getByRole("button", { name: "Remove Ada’s laptop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByText(/^None yet/)).toBeVisible();
});

test("the second factor is turned off with the password", async () => {
  await page.getByRole("button", { name: "Turn off" }).click();
  await page.getByRole("dialog").getByLabel("Your password").fill(password);
  await page.getByRole("dialog").getByRole("button", { name: "Turn it off" }).click();
  await expect(page.getByRole("button", { name: "Set it up" })).toBeVisible();
  await page.goto("/settings/audit");
  for (const words of ["turned their second factor off", "removed a passkey of their own", "added a passkey"]) {
    await expect(page.getByRole("cell", { name: new RegExp(words) }).first()).toBeVisible();
  }
});

test("a cookie that cannot be read is no reason to fail", async ({ request }) => {
  for (const zone of ["%25", "%2525zz", "%E0%A4%A", "nowhere"]) {
    const answer = await request.get(`${base}/sign-in`, { headers: { cookie: `stillframe-zone=${zone}` } });
    expect(answer.status(), zone).toBe(200);
  }
});

test("no script runs that the console did not put there", async () => {
  const violations: string[] = [];
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) violations.push(`${page.url()}: ${message.text()}`);
  });
  for (const place of ["/", "/jobs/new", "/volumes", "/troubleshoot", "/articles/a000851c", "/settings", "/nowhere"]) {
    await page.goto(place);
    await expect(places(page)).toBeVisible();
    const inline = (await (await page.request.get(place)).text()).match(/<script(?![^>]*\ssrc=)[^>]*>/g) ?? [];
    expect(inline.length, place).toBeGreaterThan(0);
    expect(
      inline.filter((tag) => !/\snonce="[^"]+"/.test(tag)),
      place,
    ).toEqual([]);
  }
  expect(violations).toEqual([]);
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.injected = true";
    document.body.append(script);
    return "injected" in window;
  });
  expect(ran).toBe(false);
});

test("who tries wrong passwords is told how long to wait", async ({ browser }) => {
  const stranger = await newPage(browser);
  await stranger.goto("/sign-in");
  for (let i = 0; i < 5; i++) {
    const answered = stranger.waitForResponse(/sign-in\/email/);
    await typePassword(stranger, `wrong password ${i}`);
    expect((await answered).status()).toBe(401);
  }
  await typePassword(stranger, password);
  await expect(stranger.getByText(/^Too many attempts\. Try again in \d+ s\.$/)).toBeVisible();
  await expect(stranger.getByRole("button", { name: "Sign in", exact: true })).toBeEnabled();
  expect(await accessibilityProblems(stranger)).toEqual([]);
  await stranger.context().close();
});

/** From no page of the console: an open one would see that its sign-in has ended, and navigate by itself. */
async function signOutUnseen(from: Page): Promise<void> {
  await from.goto("about:blank");
  await from.context().clearCookies();
}

async function typePassword(on: Page, text: string): Promise<void> {
  await on.getByLabel("E-mail").fill("ada@example.org");
  await on.getByLabel("Password").fill(text);
  await on.getByRole("button", { name: "Sign in", exact: true }).click();
}
