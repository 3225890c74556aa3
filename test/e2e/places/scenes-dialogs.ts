/** What opens over a place: dialogs, the palette, the navigation of a narrow screen. */
import { expect, type Page } from "@playwright/test";
import { jobs } from "./company-jobs";
import { failure, type Scene } from "./scenes";

/** Presses a button that opens a dialog. */
const press =
  (name: string | RegExp, ...then: ((page: Page) => Promise<void>)[]) =>
  async (page: Page) => {
    await page.getByRole("button", { name }).first().click();
    await expect(page.getByRole("dialog")).toBeVisible();
    for (const act of then) await act(page);
  };
const chooseTwo = async (page: Page) => {
  for (const job of ["Mailboxes", "Web content"])
    await page.getByRole("checkbox", { name: `Choose ${job}`, exact: true }).click();
};
const dialog = { part: '[role="dialog"]' };
const wide = { ...dialog, sizes: ["wide"], kept: ["wide-light"] } as const;
const narrow = { ...dialog, sizes: ["narrow"], kept: ["narrow-dark"] } as const;
const unkept = { sizes: ["narrow"] } as const;
const OPEN = "kinds of failure";

export const dialogs: readonly Scene[] = [
  {
    ...narrow,
    name: "move-cache",
    path: "/troubleshoot",
    shows: OPEN,
    act: async (page) => {
      await failure("a000851c of Documents")(page);
      await press("Choose")(page);
      await expect(page.getByText("/mnt/scratch/stillframe").last()).toBeVisible();
    },
  },
  {
    ...narrow,
    name: "ignore-paths",
    path: "/troubleshoot",
    shows: OPEN,
    act: async (page) => {
      await failure("OFO-QUIET of Web content")(page);
      await press("Choose")(page);
      await page.getByRole("checkbox", { name: "/srv/www/log/access.log" }).click();
      await page.getByRole("radio", { name: "their directories" }).click();
      await expect(page.getByRole("list", { name: "Will be ignored" })).toContainText("/srv/www/log");
    },
  },
  {
    ...wide,
    name: "restart-engine",
    path: "/troubleshoot?state=all",
    shows: OPEN,
    act: async (page) => {
      await failure("OFO-COMM of Nightly database")(page);
      await page.getByRole("listitem").filter({ hasText: "Restart" }).getByRole("button").first().click();
      await expect(page.getByRole("dialog")).toBeVisible();
    },
  },
  { ...wide, name: "restart-worker", path: "/hosts", shows: "mail01", act: press("Restart the worker") },
  {
    ...narrow,
    name: "delete-job",
    path: `/jobs/${jobs.documents.id}`,
    shows: "Runs of this job",
    act: press("Delete"),
  },
  {
    ...wide,
    name: "delete-jobs",
    path: "/jobs",
    shows: "Mailboxes",
    act: async (page) => {
      await chooseTwo(page);
      await press("Delete")(page);
    },
  },
  {
    ...unkept,
    name: "cancel-run",
    path: "/runs?result=active",
    shows: "1 run",
    act: async (page) => {
      await page.getByRole("link", { name: "Nightly database" }).first().click();
      await page.waitForURL(/\/runs\/.+/);
      await press("Cancel run")(page);
    },
  },
  { ...unkept, name: "detach", path: "/volumes", shows: "7 volumes", act: press("Detach /home") },
  { ...narrow, name: "attach", path: "/volumes", shows: "7 volumes", act: press("Attach a volume") },
  { ...unkept, name: "practice", path: "/volumes", shows: "7 volumes", act: press("Practice volume") },
  { ...narrow, name: "add-channel", path: "/settings/notifications", shows: "On call", act: press("Add a channel") },
  { ...unkept, name: "invite", path: "/settings/users", shows: "Grace Hopper", act: press("Invite somebody") },
  { ...unkept, name: "new-key", path: "/settings/keys", shows: "Prometheus", act: press("New key") },
  { ...wide, name: "second-factor", path: "/settings/account", shows: "Passkeys", act: press("Set it up") },
  {
    ...narrow,
    name: "palette-nothing",
    path: "/articles",
    shows: "OFO-COMM",
    act: async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Go to or do" }).fill("tape library");
      await expect(page.getByText("Nothing has this name.")).toBeVisible();
    },
  },
  {
    ...narrow,
    name: "navigation",
    path: "/settings",
    shows: "Cache locations",
    part: undefined,
    act: async (page) => {
      await page.setViewportSize({ width: 360, height: 780 });
      await press("Open the navigation")(page);
    },
  },
];
