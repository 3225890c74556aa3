/** What a person does in the console again and again, as the browser tests do it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import type { Installation } from "../fixtures/installation";

const person = { name: "Ada Lovelace", email: "ada@example.org", password: "analytical engine" };

/** Where the first start's one-time link leads. */
export function firstLink(here: Installation): string {
  return readFileSync(join(here.home, "console", "signin-link"), "utf8").trim();
}

/** Makes the administrator by the link of the first start, and is signed in. `base`: if not at the link's own host. */
export async function signInFirst(page: Page, here: Installation, base = ""): Promise<void> {
  const link = new URL(firstLink(here));
  await page.goto(base === "" ? link.href : base + link.pathname + link.search);
  await page.getByLabel("Your name").fill(person.name);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password").fill(person.password);
  await page.getByRole("button", { name: "Create and sign in" }).click();
  await expect(page.getByRole("navigation", { name: "Places" })).toBeVisible();
}

/** Waits on a run's page until it says so, e.g. `Backed up`. */
export async function runEnds(page: Page, title: string): Promise<void> {
  await page.waitForURL(/\/runs\/.+/, { timeout: 30_000 });
  await expect(page.getByText(title, { exact: true })).toBeVisible({ timeout: 120_000 });
}
