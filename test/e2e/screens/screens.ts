/**
 * Pictures of every place, narrow and wide, light and dark, to be looked at by a person:
 *   STILLFRAME_SCREENS_URL=http://127.0.0.1:4400 STILLFRAME_SCREENS_EMAIL=… STILLFRAME_SCREENS_PASSWORD=… \
 *     npx tsx test/e2e/screens/screens.ts /tmp/screens [path …]
 * Also says which pages axe finds fault with, scroll sideways, or write errors to the browser's console.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "@playwright/test";

const flags =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const sizes = [
  { name: "wide", width: 1440, height: 960 },
  { name: "narrow", width: 360, height: 780 },
];
const themes = ["light", "dark"] as const;
const everyPlace = [
  "/",
  "/jobs",
  "/jobs/new",
  "/volumes",
  "/cache",
  "/troubleshoot",
  "/articles",
  "/articles/a000851c",
  "/hosts",
  "/settings",
  "/settings/notifications",
  "/settings/users",
  "/settings/single-sign-on",
  "/settings/keys",
  "/settings/audit",
  "/settings/account",
];

const [directory = "/tmp/screens", ...asked] = process.argv.slice(2);
const origin = process.env.STILLFRAME_SCREENS_URL ?? "http://127.0.0.1:4400";
const account = {
  email: process.env.STILLFRAME_SCREENS_EMAIL ?? "",
  password: process.env.STILLFRAME_SCREENS_PASSWORD ?? "",
};

mkdirSync(directory, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags.split(" ") });
let faults = 0;
try {
  const session = await signIn(browser);
  for (const theme of themes)
    for (const { name, width, height } of sizes) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        storageState: session,
        timezoneId: "Europe/Berlin",
      });
      const page = await context.newPage();
      page.on("console", (message) => {
        if (message.type() === "error") report(page, `console: ${message.text()}`);
      });
      page.on("pageerror", (error) => report(page, `page: ${error.message}`));
      for (const place of asked.length > 0 ? asked : everyPlace) await picture(page, place, `${theme}-${name}`);
      await context.close();
    }
} finally {
  await browser.close();
}
process.exit(faults === 0 ? 0 : 1);

async function signIn(browser: Browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  const state = await context.storageState();
  await context.close();
  return state;
}

async function picture(page: Page, place: string, kind: string): Promise<void> {
  await page.goto(origin + place);
  await page.waitForTimeout(1500);
  const { violations } = await new AxeBuilder({ page }).analyze();
  for (const violation of violations) {
    const where = violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 140));
    report(page, `${kind}: ${violation.id}: ${violation.help}\n    ${where.join("\n    ")}`);
  }
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (overflow > 0) report(page, `${kind}: scrolls sideways by ${overflow} px`);
  const name = place === "/" ? "overview" : place.slice(1).replaceAll("/", "-");
  await page.screenshot({ path: path.join(directory, `${name}-${kind}.png`), fullPage: true });
}

function report(page: Page, text: string): void {
  faults += 1;
  console.error(`${new URL(page.url()).pathname} ${text}`);
}
