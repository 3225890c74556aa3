/** Chromium's pages that watch a run, and what each of them hears by its WebSocket. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "@playwright/test";
import { type ConsoleUnderTest, eventually } from "../fixtures/console-under-test";
import { executablePath, flags, signedIn } from "./browser";

/** Opened at once, so that fifty take no longer than they must. */
const AT_ONCE = 4;
const PATIENCE_MS = 300_000;

/** What a page has heard: times are this machine's clock, ages in ms. */
export type Heard = { samples: number; messages: number; ages: number[]; newest: number; openedAt: number };

/** Listens beside the page to what it is sent. */
const LISTEN = `
  window.heard = { samples: 0, messages: 0, ages: [], newest: 0, openedAt: 0 };
  window.firstAfter = { mark: Infinity, at: 0 };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("open", () => { heard.openedAt = Date.now(); });
      this.addEventListener("message", ({ data }) => {
        const samples = typeof data === "string" ? data.split('"quietMs":').length - 1 : 0;
        if (samples === 0) return;
        const now = Date.now();
        const at = Date.parse(/"at":"([^"]+)"/.exec(data)[1]);
        heard.samples += samples;
        heard.messages += 1;
        heard.ages.push(now - at);
        heard.newest = at;
        if (firstAfter.at === 0 && at > firstAfter.mark) firstAfter.at = now;
      });
    }
  };
`;

export class WatchingBrowsers {
  readonly pages: Page[] = [];
  readonly #browser: Browser;
  readonly #console: ConsoleUnderTest;

  private constructor(browser: Browser, console: ConsoleUnderTest) {
    this.#browser = browser;
    this.#console = console;
  }

  /** `niceness`: of the browsers' processes, for those of other people have processors of their own. */
  static async launch(console: ConsoleUnderTest, niceness: number): Promise<WatchingBrowsers> {
    const program = join(console.home, "chromium");
    writeFileSync(program, `#!/bin/sh\nexec nice -n ${niceness} ${executablePath} "$@"\n`);
    chmodSync(program, 0o755);
    const browser = await chromium.launch({ executablePath: program, args: flags, timeout: PATIENCE_MS });
    return new WatchingBrowsers(browser, console);
  }

  /** Opens pages, each in a browser's state of its own, and waits until each hears measurements. */
  async open(count: number, path: string, cookie: string): Promise<void> {
    let left = count;
    const openNext = async () => {
      for (; left > 0; ) {
        left -= 1;
        const context = await signedIn(this.#browser, this.#console, cookie);
        await context.addInitScript(LISTEN);
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE_MS);
        await page.goto(path, { waitUntil: "domcontentloaded", timeout: PATIENCE_MS });
        this.pages.push(page);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, openNext));
    await eventually(async () => (await this.heard()).every(({ messages }) => messages > 0), PATIENCE_MS);
  }

  /** Process id of the renderer that has worked most: of the page, while only one is open. */
  async renderer(): Promise<number> {
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    const renderers = processInfo.filter(({ type }) => type === "renderer");
    const [first] = renderers.sort((one, other) => other.cpuTime - one.cpuTime);
    if (!first) throw new Error("the browser has no page");
    return first.id;
  }

  /** Processor time of all the browser's processes until now, in seconds. */
  async processorSeconds(): Promise<number> {
    const session = await this.#browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  }

  /** As if the page's processor were so many times slower. */
  async slow(page: Page, times: number): Promise<void> {
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: times });
    // The rate goes with the session.
    if (times === 1) await session.detach();
  }

  heard(pages: readonly Page[] = this.pages): Promise<Heard[]> {
    return Promise.all(pages.map((page) => page.evaluate<Heard>("heard")));
  }

  /** From now on. */
  async forget(pages: readonly Page[] = this.pages): Promise<void> {
    await Promise.all(
      pages.map((page) => page.evaluate("Object.assign(heard, { samples: 0, messages: 0, ages: [] })")),
    );
  }

  /** Each page's first measurement that was taken after `mark`: when it was heard. Arm it before. */
  async armFirstAfter(mark: number): Promise<void> {
    await Promise.all(this.pages.map((page) => page.evaluate(`firstAfter = { mark: ${mark}, at: 0 }`)));
  }

  async firstAfter(): Promise<number[]> {
    const times = () => Promise.all(this.pages.map((page) => page.evaluate<number>("firstAfter.at")));
    await eventually(async () => (await times()).every((at) => at > 0), PATIENCE_MS);
    return times();
  }

  /** The numbers of the log's lines `line N` that each page shows, the newest first. */
  logLines(): Promise<number[][]> {
    return Promise.all(
      this.pages.map((page) =>
        page.evaluate<number[]>(
          `[...document.querySelectorAll("[role=log] li")].map((li) => Number(/line (\\d+)/.exec(li.textContent)?.[1])).filter((n) => n > 0)`,
        ),
      ),
    );
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
