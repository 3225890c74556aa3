/** Debian's Chromium as the benchmarks of the pages use it, signed in. */
import { type Browser, type BrowserContext, chromium } from "@playwright/test";
import type { ConsoleUnderTest } from "../fixtures/console-under-test";

export const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
export const flags =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(
    " ",
  );

export function openBrowser(more: string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath, args: [...flags, ...more] });
}

/** The pairs of a `Cookie` header as a browser is given them. */
export function cookiesOf(header: string, url: string): { name: string; value: string; url: string }[] {
  return header.split("; ").map((pair) => {
    const cut = pair.indexOf("=");
    return { name: pair.slice(0, cut), value: pair.slice(cut + 1), url };
  });
}

export async function signedIn(browser: Browser, it: ConsoleUnderTest, cookie: string): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL: it.origin, viewport: { width: 1440, height: 1000 } });
  await context.addCookies(cookiesOf(cookie, it.origin));
  return context;
}

/** The value below which a share of all lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
