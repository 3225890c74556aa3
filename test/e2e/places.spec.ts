/**
 * Every place in its states, narrow and wide, light and dark: axe finds nothing, nothing scrolls sideways, and it looks
 * as in the picture that is kept. The console is the built one at a fixed moment, its hosts are scripted.
 * `npm run pictures` renews the pictures.
 */
import { type BrowserContext, expect, type Page, test } from "@playwright/test";
import { ZONE_COOKIE } from "@/app/components/zone-cookie";
import { accessibilityProblems } from "./accessibility";
import { CompanyConsole } from "./places/company-console";
import { Line } from "./places/line";
import { NOW, ZONE } from "./places/moment";
import { expectPicture, incomparable } from "./places/pictures";
import { empty, filled, hostsAway, type Look, type Scene } from "./places/scenes";
import { Answers, fitted, painted, settled } from "./places/settled";

// A trace of every step would take longer than the steps.
test.use({ trace: "off" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4160);

// Made by the process that runs the tests, not by the one that only lists them: each has a directory.
let company: CompanyConsole;
let nothingYet: CompanyConsole;
let reason: string | null;
type Place = { context: BrowserContext; page: Page; answers: Answers };
let here: Place;
let there: Place;

test.beforeAll(async ({ browser }) => {
  reason = await incomparable(browser);
  if (reason !== null) console.warn(`Pictures are not compared: ${reason}.`);
  company = new CompanyConsole("filled", port);
  nothingYet = new CompanyConsole("empty", port + 1);
  await Promise.all([company.start(), nothingYet.start()]);
  const open = async (it: CompanyConsole) => {
    const context = await browser.newContext({
      baseURL: it.origin,
      timezoneId: ZONE,
      locale: "en-GB",
      reducedMotion: "reduce",
    });
    await it.signIn(context);
    await context.addCookies([{ name: ZONE_COOKIE, value: encodeURIComponent(ZONE), url: it.origin }]);
    await Line.into(context);
    const page = await context.newPage();
    await page.clock.setFixedTime(NOW);
    return { context, page, answers: new Answers(page) };
  };
  here = await open(company);
  there = await open(nothingYet);
});
test.afterAll(async () => {
  await here?.context.close();
  await there?.context.close();
  await company?.remove();
  await nothingYet?.remove();
});

test("pictures are compared: this is the Chromium, and these are the fonts, that they are from", () => {
  test.skip(reason !== null, reason ?? "");
});

for (const scene of filled) test(`${scene.name}`, () => look(here, scene));
for (const scene of empty) test(`${scene.name}`, () => look(there, scene));

test.describe("hosts away", () => {
  test.beforeAll(() => company.disconnect());
  test.afterAll(() => company.connect());
  for (const scene of hostsAway) test(scene.name, () => look(here, scene));
});

/** Opens the place and looks at it in every width and theme. */
async function look({ page, answers }: Place, scene: Scene): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(scene.path);
  await expect(page.getByText(scene.shows).first()).toBeVisible();
  await settled(page, answers);
  if (scene.act) {
    await scene.act(page);
    await settled(page, answers);
  }
  await looks(page, scene);
}

async function looks(
  page: Page,
  { name, kept = [], broad, masked = [] }: Omit<Scene, "path" | "shows">,
): Promise<void> {
  const picture = async (one: Look) => {
    if (reason === null && kept.includes(one)) await expectPicture(page, `${name}-${one}`, masked);
  };
  const problems: string[] = [];
  for (const [width, least] of [
    [1440, 900],
    [360, 780],
  ] as const) {
    const size = width === 1440 ? "wide" : "narrow";
    await fitted(page, width, least);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) problems.push(`${width} px: scrolls sideways by ${over} px`);
    // Both layouts and both themes, each once.
    const examined = size === "wide" ? "light" : "dark";
    for (const colorScheme of size === "wide" ? (["light", "dark"] as const) : (["dark", "light"] as const)) {
      if (colorScheme !== examined && !kept.includes(`${size}-${colorScheme}`)) continue;
      await page.emulateMedia({ colorScheme });
      await painted(page);
      if (colorScheme === examined)
        for (const problem of await accessibilityProblems(page)) problems.push(`${size}, ${colorScheme}: ${problem}`);
      await picture(`${size}-${colorScheme}`);
    }
  }
  for (const width of broad ? [1920, 2560] : []) {
    await page.setViewportSize({ width, height: 1200 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) problems.push(`${width} px: scrolls sideways by ${over} px`);
  }
  expect(problems).toEqual([]);
}
