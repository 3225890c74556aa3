/** A person without a mouse: Tab, arrows, Enter, Space, Escape, and what they write. */
import { expect, type Locator, type Page } from "@playwright/test";

const MOST_STOPS = 160;

export class Keyboard {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Opens a place by its address, and leaves the navigation behind by the link that every page begins with. */
  async open(path: string, title: string | RegExp): Promise<void> {
    await this.#page.goto(path);
    await expect(this.#page.getByRole("heading", { level: 1, name: title })).toBeVisible();
    await this.to(this.#page.getByRole("link", { name: "Skip to the content" }));
    await this.press("Enter");
    await expect(this.#page.locator("main")).toBeFocused();
  }

  /** Goes from stop to stop until the element has the focus. Each stop on the way must show that it has it. */
  async to(target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
    await expect(target).toBeVisible();
    const wanted = await target.elementHandle();
    for (let stops = 0; stops < MOST_STOPS; stops++) {
      await this.press(key);
      const { there, hidden } = await this.#page.evaluate(lookAtFocus, wanted);
      if (hidden !== null) throw new Error(`the focus does not show at ${hidden}`);
      if (there) return;
    }
    throw new Error(`${target} is not reached by ${key}`);
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.#page.keyboard.press(key);
  }

  /** Writes over what stands in the field that has the focus. */
  async write(text: string): Promise<void> {
    await this.press("Control+a");
    await this.#page.keyboard.type(text);
  }

  async toAndPress(target: Locator, key: string): Promise<void> {
    await this.to(target);
    await this.press(key);
  }

  async toAndWrite(target: Locator, text: string): Promise<void> {
    await this.to(target);
    await this.write(text);
  }

  /** From the chosen one of a few, which has the focus, to another. */
  async choose(option: Locator): Promise<void> {
    const wanted = await option.elementHandle();
    for (let steps = 0; steps < 8; steps++) {
      await this.press("ArrowRight");
      // The group moves the focus once the key is dealt with.
      await this.#page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
      const { there } = await this.#page.evaluate(lookAtFocus, wanted);
      if (there) break;
    }
    await this.press("Space");
    await expect(option).toBeChecked();
  }

  /** The dialog has the focus and keeps it, however often one goes on, forwards and back. */
  async staysIn(dialog: Locator): Promise<void> {
    const inside = () => dialog.evaluate((element) => element.contains(document.activeElement));
    await expect.poll(inside).toBe(true);
    const stops = await dialog.locator("a, button, input, select, textarea").count();
    for (const key of ["Shift+Tab", "Shift+Tab", ...Array(stops + 2).fill("Tab")]) {
      await this.press(key);
      expect(await inside(), `${key} leaves the dialog`).toBe(true);
    }
  }
}

/** Whether the element has the focus; and what has it without a sign of it (null: it shows). Runs in the page. */
function lookAtFocus(wanted: Node | null): { there: boolean; hidden: string | null } {
  const element = document.activeElement;
  const there = element === wanted;
  // Between the page's end and its beginning stands the browser's own bar.
  if (!element || element === document.body) return { there, hidden: null };
  const outlined = (one: Element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1;
  };
  const writing = element.matches("input[role=combobox]") && getComputedStyle(element).caretColor !== "transparent";
  // What is drawn for an invisible control stands beside it.
  const beside = getComputedStyle(element).opacity === "0" ? [...(element.parentElement?.children ?? [])] : [];
  const shows = writing || outlined(element) || beside.some(outlined);
  return { there, hidden: shows ? null : element.outerHTML.slice(0, 200) };
}
