/**
 * Every place in its states, narrow and wide, light and dark: axe finds nothing, nothing scrolls sideways, and it looks
 * as in the picture that is kept. The console is the built one at a fixed moment, its hosts are scripted.
 * `npm run pictures` renews the pictures.
 */
import { expect, type Locator, test } from "@playwright/test";
import { CompanyConsole } from "./places/company-console";
import { runNamed } from "./places/company-runs";
import { look, looks, openPlace, type Place } from "./places/look";
import { findTables, loseTables } from "./places/outage";
import { incomparable } from "./places/pictures";
import { signInByProvider } from "./places/provider-sign-in";
import { questions, SAYS_EMPTY } from "./places/questions";
import { empty, failure, filled, firstStart, hostsAway, lineCut, notFresh, signedOut } from "./places/scenes";
import { dialogs } from "./places/scenes-dialogs";
import { holdQuestions, settled } from "./places/settled";

// A trace of every step would take longer than the steps.
test.use({ trace: "off" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4160);

// Made by the process that runs the tests, not by the one that only lists them: each has a directory.
let company: CompanyConsole;
let nothingYet: CompanyConsole;
let reason: string | null;
let compared: boolean;
/** At the company's console. */
let here: Place;
/** At the console with nothing yet. */
let there: Place;
const open: Place[] = [];

test.beforeAll(async ({ browser }) => {
  reason = await incomparable(browser);
  compared = reason === null;
  if (reason !== null) console.warn(`Pictures are not compared: ${reason}.`);
  company = new CompanyConsole("filled", port);
  nothingYet = new CompanyConsole("empty", port + 1);
  await Promise.all([company.start(), nothingYet.open()]);
  here = await openPlace(browser, company);
  open.push(here);
});
test.afterAll(async () => {
  for (const place of open) await place.context.close();
  await company?.remove();
  await nothingYet?.remove();
});

test("pictures are compared: this is the Chromium, and these are the fonts, that they are from", () => {
  test.skip(reason !== null, reason ?? "");
});

test.describe("nobody", () => {
  let nobody: Place;
  let first: Place;
  test.beforeAll(async ({ browser }) => {
    nobody = await openPlace(browser, company, { signedIn: false });
    first = await openPlace(browser, nothingYet, { signedIn: false });
    open.push(nobody, first);
  });
  for (const scene of signedOut) test(scene.name, () => look(nobody, scene, compared));
  for (const scene of firstStart) test(scene.name, () => look(first, scene, compared));
  test("welcome", () => {
    const path = `/welcome?token=${nothingYet.console.signInToken()}`;
    return look(first, { name: "welcome", path, shows: /Password/, kept: ["wide-light", "narrow-dark"] }, compared);
  });
});

for (const scene of [...filled, ...dialogs]) test(scene.name, () => look(here, scene, compared));

test.describe("nothing yet", () => {
  test.beforeAll(async ({ browser }) => {
    await nothingYet.signUp();
    await nothingYet.connect();
    there = await openPlace(browser, nothingYet);
    open.push(there);
  });
  for (const scene of empty) test(scene.name, () => look(there, scene, compared));
});

test.describe("hosts away", () => {
  test.beforeAll(() => company.disconnect());
  test.afterAll(() => company.connect());
  for (const scene of hostsAway) test(scene.name, () => look(here, scene, compared));
});

test.describe("a sign-in by single sign-on, an hour old", () => {
  let restore: () => void;
  test.beforeAll(() => {
    restore = signInByProvider(company.console.databaseFile);
  });
  test.afterAll(() => restore());
  for (const scene of notFresh) test(scene.name, () => look(here, scene, compared));
});

test("on a narrow screen what to do about a failure stands before the log, for readers and the keyboard too", async () => {
  const { page } = here;
  await page.setViewportSize({ width: 360, height: 780 });
  await page.goto("/troubleshoot");
  await failure("a000851c of Documents")(page);
  const [fix, log] = [page.getByText("Fix it", { exact: true }), page.getByRole("log")];
  const top = async (of: Locator) => (await of.boundingBox())?.y ?? Number.NaN;
  expect(await top(fix)).toBeLessThan(await top(log));
  await page.locator("#content").getByRole("link").first().focus();
  const first = page.getByRole("button", { name: /^Apply: One at a time/ });
  while (!(await isFocused(first))) {
    expect(await isFocused(log)).toBe(false);
    await page.keyboard.press("Tab");
  }
});

test.describe("the line is cut", () => {
  test.afterEach(() => here.line.mend());
  for (const scene of lineCut)
    test(scene.name, async () => {
      await look(here, { ...scene, act: () => cutTheLine(here) }, compared);
    });
  test("once it is mended, the page is live again", async () => {
    const { page, line } = here;
    await page.goto(`/runs/${runNamed("live")}`);
    await cutTheLine(here);
    line.mend();
    await expect(page.getByText(/No news since/)).toBeHidden();
  });
});

test.describe("questions", () => {
  test.beforeAll(() => {
    // Nor does anything come by the line.
    here.line.cut();
    loseTables(company.console.databaseFile);
  });
  test.afterAll(() => here.line.mend());

  for (const { name, path, of, kept = [] } of questions)
    test(`${name}: without answers, and when the console fails`, async () => {
      const { page, answers } = here;
      const content = page.locator("#content");
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.emulateMedia({ colorScheme: "light" });
      const goOn = await holdQuestions(page);
      await page.goto(path);
      await expect(page.getByText(`Loading the ${of}…`).first()).toBeVisible();
      await settled(page);
      await expect(content).not.toContainText(SAYS_EMPTY);
      const loading = kept.includes("loading") ? (["wide-light"] as const) : [];
      await looks(page, { name: `${name}-loading`, sizes: ["wide"], kept: loading }, compared);
      await goOn();
      await expect(page.getByText(/^The .+ cannot be shown$/).first()).toBeVisible();
      await expect(page.getByText(/^Loading the /)).toHaveCount(0);
      await settled(page, answers);
      await expect(content).not.toContainText(SAYS_EMPTY);
      const failed = kept.includes("failed") ? (["narrow-dark"] as const) : [];
      await looks(page, { name: `${name}-unanswered`, sizes: ["narrow"], kept: failed }, compared);
    });

  test("once the console answers again, a person who tries again has the page", async () => {
    const { page } = here;
    await page.goto("/settings/audit");
    const again = page.getByRole("button", { name: "Try again" });
    await expect(again).toBeVisible();
    findTables(company.console.databaseFile);
    await again.click();
    await expect(page.getByText("grace@example.net").first()).toBeVisible();
    await expect(again).toBeHidden();
  });
});

const isFocused = (one: Locator): Promise<boolean> => one.evaluate((element) => element === document.activeElement);

/** Once the page has it; before that, it misses nothing. "Live" is on other things too. */
async function cutTheLine({ page, line }: Place): Promise<void> {
  await expect(page.getByText("Connecting", { exact: true })).toHaveCount(0);
  line.cut();
  await expect(page.getByText(/No news since .+, reconnecting/)).toBeVisible();
}
