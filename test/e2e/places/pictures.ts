/**
 * Pictures that are kept of the places, and compared. The same page is drawn otherwise by another Chromium or with other
 * fonts of the system: which browser drew them, and how it draws a probe that is no part of the product, is kept beside them.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, expect, type Page } from "@playwright/test";

export const directory = join(import.meta.dirname, "pictures");
const record = join(directory, "drawn-by.json");
export const renewing = process.env.STILLFRAME_PICTURES === "renew";

type DrawnBy = { chromium: string; probe: string };

/** Why pictures cannot be compared here; null: they can. Keeps how this browser draws while they are renewed. */
export async function incomparable(browser: Browser): Promise<string | null> {
  const here: DrawnBy = { chromium: browser.version().split(".")[0] ?? "", probe: await probe(browser) };
  if (renewing) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(record, `${JSON.stringify(here, null, 2)}\n`);
    return null;
  }
  if (!existsSync(record)) return "no pictures are kept; npm run pictures makes them";
  const kept: DrawnBy = JSON.parse(readFileSync(record, "utf8"));
  if (kept.chromium !== here.chromium) return `they are of Chromium ${kept.chromium}, this is ${here.chromium}`;
  return kept.probe === here.probe ? null : "this machine draws text otherwise than the one that they are from";
}

/** A hash of the picture of some text, signs and controls. */
async function probe(browser: Browser): Promise<string> {
  const font = (name: string) => {
    const file = join(import.meta.dirname, "../../../node_modules/geist/dist/fonts", name);
    return `url(data:font/woff2;base64,${readFileSync(file).toString("base64")})`;
  };
  const page = await browser.newPage({ viewport: { width: 600, height: 200 } });
  try {
    await page.setContent(`<style>
      @font-face { font-family: sans; src: ${font("geist-sans/Geist-Variable.woff2")}; font-weight: 100 900 }
      @font-face { font-family: mono; src: ${font("geist-mono/GeistMono-Variable.woff2")}; font-weight: 100 900 }
      body { font: 14px/1.45 sans, system-ui, sans-serif } code { font: 12.5px mono, monospace }
      </style><p>Handgloves 0123 “quoted” – Ада … · × ≥ ✓ ← → <b>bold</b> <code>0xa000851c 12.4 GiB ← →</code></p>
      <select><option>Every host</select> <input type="range"> <input type="checkbox" checked>
      <svg width="80" height="22"><path d="M0 20L20.5 3.3L60 12" stroke="#0d9488" fill="none" stroke-dasharray="3 4"/></svg>`);
    await page.evaluate(() => document.fonts.ready.then(() => undefined));
    return createHash("sha256")
      .update(await page.screenshot())
      .digest("hex");
  } finally {
    await page.close();
  }
}

/** The page as it stands is that of the picture. What differs is kept beside the report. */
export async function expectPicture(page: Page, name: string, masked: string[], part?: string): Promise<void> {
  await expect.soft(part === undefined ? page : page.locator(part)).toHaveScreenshot(`${name}.png`, {
    maxDiffPixels: 80,
    animations: "disabled",
    caret: "hide",
    mask: masked.map((selector) => page.locator(selector)),
    maskColor: "#8e97a5",
    timeout: 5_000,
  });
}
