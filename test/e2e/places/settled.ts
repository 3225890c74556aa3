import type { Page, Request, Route } from "@playwright/test";

/** Knows which of a page's questions to the console are still without an answer. */
export class Answers {
  readonly #open = new Set<Request>();

  constructor(page: Page) {
    page.on("request", (request) => request.url().includes("/api/trpc/") && this.#open.add(request));
    page.on("requestfinished", (request) => this.#open.delete(request));
    page.on("requestfailed", (request) => this.#open.delete(request));
  }

  get missing(): boolean {
    return this.#open.size > 0;
  }
}

/**
 * Waits until fonts are there, every question is answered, and nothing on the page has changed for a moment. Without
 * `answers`: whether or not they are answered.
 */
export async function settled(page: Page, answers?: Answers): Promise<void> {
  const deadline = performance.now() + 10_000;
  do await page.evaluate(unchanged);
  while (answers?.missing && performance.now() < deadline);
}

/** Keeps the page's questions from the console until what it returns is called. */
export async function holdQuestions(page: Page): Promise<() => Promise<void>> {
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const hold = async (route: Route) => {
    await held;
    // The page may have gone, and its question with it.
    await route.continue().catch(() => {});
  };
  await page.route("**/api/trpc/**", hold);
  return async () => {
    goOn();
    await page.unroute("**/api/trpc/**", hold);
  };
}

async function unchanged(): Promise<void> {
  await document.fonts.ready;
  await new Promise<void>((resolve) => {
    let timer = setTimeout(resolve, 120);
    const observer = new MutationObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(resolve, 120);
    });
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    setTimeout(resolve, 3000);
  });
}

/** Waits until what was changed is drawn. */
export async function painted(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** So wide, and as high as what is on it once that has taken the new width: the lanes draw themselves anew. */
export async function fitted(page: Page, width: number, least: number): Promise<void> {
  await page.setViewportSize({ width, height: least });
  await painted(page);
  await page.evaluate(unchanged);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  if (height <= least) return;
  await page.setViewportSize({ width, height });
  await painted(page);
}
