/** Looks at a place: axe, what scrolls sideways, and the pictures that are kept of it. */
import { type Browser, type BrowserContext, expect, type Page } from "@playwright/test";
import { ZONE_COOKIE } from "@/app/components/zone-cookie";
import { accessibilityProblems } from "../accessibility";
import type { CompanyConsole } from "./company-console";
import { Line } from "./line";
import { NOW, ZONE } from "./moment";
import { expectPicture } from "./pictures";
import type { Look, Scene } from "./scenes";
import { Answers, fitted, painted, settled } from "./settled";

/** A browser at a console. */
export type Place = { context: BrowserContext; page: Page; answers: Answers; line: Line };

/** `signedIn`: as the administrator; otherwise as nobody. */
export async function openPlace(browser: Browser, at: CompanyConsole, { signedIn = true } = {}): Promise<Place> {
  const context = await browser.newContext({
    baseURL: at.origin,
    timezoneId: ZONE,
    locale: "en-GB",
    reducedMotion: "reduce",
  });
  if (signedIn) await at.signIn(context);
  await context.addCookies([{ name: ZONE_COOKIE, value: encodeURIComponent(ZONE), url: at.origin }]);
  const line = await Line.into(context);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.clock.setFixedTime(NOW);
  return { context, page, answers: new Answers(page), line };
}

/** Opens a scene and looks at it in its widths and themes. */
export async function look({ page, answers }: Place, scene: Scene, compared: boolean): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(scene.path);
  await expect(page.getByText(scene.shows).first()).toBeVisible();
  await settled(page, answers);
  if (scene.act) {
    await scene.act(page);
    await settled(page, answers);
  }
  await looks(page, scene, compared);
}

/** Looks at the page as it stands. */
export async function looks(
  page: Page,
  { name, kept = [], broad, masked = [], sizes = ["wide", "narrow"], part }: Omit<Scene, "path" | "shows">,
  compared: boolean,
): Promise<void> {
  const picture = async (one: Look) => {
    if (compared && kept.includes(one)) await expectPicture(page, `${name}-${one}`, masked, part);
  };
  const problems: string[] = [];
  for (const [width, least] of [
    [1440, 900],
    [360, 780],
  ] as const) {
    const size = width === 1440 ? "wide" : "narrow";
    if (!sizes.includes(size)) continue;
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
