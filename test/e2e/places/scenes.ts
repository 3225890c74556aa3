/** Every place in its states, and what is done to get there. */
import { expect, type Page } from "@playwright/test";
import { volumePath } from "@/app/(console)/volumes/volume-path";
import { hosts } from "./company";
import { jobs } from "./company-jobs";
import { runNamed } from "./company-runs";

export type Look = "wide-light" | "wide-dark" | "narrow-light" | "narrow-dark";
export type Scene = {
  /** The name of its pictures. */
  name: string;
  path: string;
  /** Something that stands on the page when it is in its state. */
  shows: string | RegExp;
  /** What is done on the page before it is looked at. */
  act?: (page: Page) => Promise<void>;
  /** The layouts that it is looked at in, if not both. */
  sizes?: readonly ("wide" | "narrow")[];
  /** Pictures that are kept. */
  kept?: readonly Look[];
  /** What a picture shows, if not the page. */
  part?: string | undefined;
  /** Also looked at on wider screens. */
  broad?: boolean;
  /** What is another each time. */
  masked?: string[];
};

const all = ["wide-light", "wide-dark", "narrow-light", "narrow-dark"] as const;
const two = ["wide-light", "narrow-dark"] as const;
const other = ["wide-dark", "narrow-light"] as const;
const wide = ["wide-light"] as const;
const narrow = ["narrow-light"] as const;

/** Opens a failure from the list of all: its address is another each time. */
export const failure = (which: string) => async (page: Page) => {
  await page.getByRole("link", { name: which }).first().click();
  await page.waitForURL(/\/troubleshoot\/.+/);
  await expect(
    page.getByRole("heading", { name: "Causes" }).or(page.getByText("Causes").first()).first(),
  ).toBeVisible();
};

export const filled: readonly Scene[] = [
  { name: "overview", path: "/", shows: "Running now", kept: all, broad: true },
  { name: "jobs", path: "/jobs", shows: "Mailboxes", kept: two, broad: true },
  { name: "job-new", path: "/jobs/new", shows: "Advanced Open File", kept: wide, act: chooseVolumes, broad: true },
  { name: "job", path: `/jobs/${jobs.documents.id}`, shows: "Runs of this job", kept: other },
  { name: "runs", path: "/runs", shows: "21 runs", kept: narrow },
  {
    name: "run-live",
    path: `/runs/${runNamed("live")}`,
    shows: "Cancel run",
    kept: ["wide-light", "wide-dark"],
    broad: true,
  },
  { name: "run-succeeded", path: `/runs/${runNamed("succeeded")}`, shows: "Backed up", kept: two, broad: true },
  { name: "run-one-at-a-time", path: `/runs/${runNamed("oneAtATime")}`, shows: "Backed up", kept: other },
  {
    name: "run-warnings",
    path: `/runs/${runNamed("warnings")}`,
    shows: "Backed up, with warnings",
    sizes: ["wide"],
    kept: wide,
  },
  {
    name: "run-cancelled",
    path: `/runs/${runNamed("cancelled")}`,
    shows: "The run was cancelled",
    sizes: ["narrow"],
    kept: ["narrow-dark"],
  },
  {
    name: "run-interrupted",
    path: `/runs/${runNamed("interrupted")}`,
    shows: "Evidence and fixes",
    sizes: ["wide"],
    kept: ["wide-dark"],
  },
  { name: "run-failed", path: `/runs/${runNamed("cacheFull")}`, shows: "Evidence and fixes", kept: two },
  { name: "volumes", path: "/volumes", shows: "7 volumes", kept: two, broad: true },
  {
    name: "volume",
    path: volumePath({ hostId: hosts.db01.id, name: "/var/lib/postgresql" }),
    shows: "Longest",
    kept: two,
    broad: true,
  },
  {
    name: "volume-transport",
    path: volumePath({ hostId: hosts.db01.id, name: "/home" }),
    shows: "over FUSE and a loop device",
    act: whyNotUblk,
    kept: narrow,
  },
  { name: "cache", path: "/cache", shows: "/mnt/scratch/stillframe", kept: two },
  { name: "troubleshoot", path: "/troubleshoot", shows: "3 kinds of failure", kept: two, broad: true },
  {
    name: "failure-cache",
    path: "/troubleshoot",
    shows: "3 kinds of failure",
    act: failure("a000851c of Documents"),
    kept: two,
    broad: true,
  },
  {
    name: "failure-quiet",
    path: "/troubleshoot",
    shows: "3 kinds of failure",
    act: failure("OFO-QUIET of Web content"),
    kept: two,
  },
  {
    name: "failure-missed",
    path: "/troubleshoot",
    shows: "3 kinds of failure",
    act: failure("SF-107 of Mailboxes"),
    kept: other,
  },
  {
    name: "failure-program",
    path: "/troubleshoot?state=all",
    shows: "kinds of failure",
    act: failure("SF-103 of Web content to the vault"),
    sizes: ["wide"],
    kept: wide,
  },
  {
    name: "failure-hook",
    path: "/troubleshoot?state=all",
    shows: "kinds of failure",
    act: failure("SF-104 of Nightly database"),
    sizes: ["narrow"],
    kept: narrow,
  },
  {
    name: "failure-communication",
    path: "/troubleshoot?state=all",
    shows: "kinds of failure",
    act: failure("OFO-COMM of Nightly database"),
    sizes: ["wide"],
    kept: ["wide-dark"],
  },
  { name: "articles", path: "/articles", shows: "OFO-COMM", kept: wide },
  { name: "article", path: "/articles/a000851c", shows: "What one at a time changes", kept: two, broad: true },
  { name: "hosts", path: "/hosts", shows: "mail01", kept: two, act: selfTest },
  { name: "hosts-add", path: "/hosts", shows: "mail01", kept: two, act: addHost, masked: ["input", "textarea"] },
  { name: "settings", path: "/settings", shows: "One at a time", kept: two },
  { name: "settings-notifications", path: "/settings/notifications", shows: "On call", kept: other },
  { name: "settings-users", path: "/settings/users", shows: "Grace Hopper", kept: two },
  {
    name: "settings-single-sign-on",
    path: "/settings/single-sign-on",
    shows: "Where no rule fits",
    kept: wide,
    masked: ["code", "input[readonly]"],
  },
  { name: "settings-keys", path: "/settings/keys", shows: "Prometheus", kept: two, masked: ["pre"] },
  { name: "settings-audit-all", path: "/settings/audit", shows: "grace@example.net", sizes: ["narrow"], broad: true },
  // All that is done in the scenes before is in the log, and not always the same.
  { name: "settings-audit", path: "/settings/audit?text=grace", shows: "grace@example.net", kept: two },
  { name: "settings-account", path: "/settings/account", shows: "Passkeys", kept: two },
  { name: "palette", path: "/jobs", shows: "Mailboxes", kept: two, part: '[role="dialog"]', act: palette },
  {
    name: "error",
    path: "/hosts",
    shows: "mail01",
    act: answersNonsense,
    sizes: ["narrow"],
    kept: ["narrow-dark"],
  },
  { name: "not-found", path: "/nowhere", shows: "There is nothing here", kept: wide },
];

export const empty: readonly Scene[] = [
  { name: "overview-empty", path: "/", shows: "Create both volumes", kept: two },
  { name: "jobs-empty", path: "/jobs", shows: "No job yet", kept: wide },
  { name: "runs-empty", path: "/runs", shows: /./, kept: [] },
  { name: "volumes-empty", path: "/volumes", shows: /./, kept: wide },
  { name: "cache-empty", path: "/cache", shows: /./, kept: narrow },
  { name: "troubleshoot-empty", path: "/troubleshoot", shows: /./, kept: wide },
  { name: "hosts-one", path: "/hosts", shows: "db01", kept: [] },
  { name: "notifications-empty", path: "/settings/notifications", shows: /./, kept: wide },
  { name: "keys-empty", path: "/settings/keys", shows: /./, kept: [], masked: ["pre"] },
  {
    name: "single-sign-on-empty",
    path: "/settings/single-sign-on",
    shows: /./,
    kept: [],
    masked: ["code", "input[readonly]"],
  },
];

/** Of nobody: whoever comes to the company's console without an account. */
export const signedOut: readonly Scene[] = [
  { name: "sign-in", path: "/jobs", shows: "Sign in with Example", kept: two },
  {
    name: "sign-in-wrong",
    path: "/sign-in?problem=refused",
    shows: "Sign in with Example",
    act: wrongPassword,
    sizes: ["narrow"],
    kept: narrow,
  },
  { name: "sign-in-code", path: "/sign-in/code", shows: "Code from your app", act: wrongCode, kept: wide },
  { name: "welcome-over", path: "/welcome?token=over", shows: "not valid any more", sizes: ["narrow"], kept: narrow },
];

/** The first start of a console: nobody has an account. */
export const firstStart: readonly Scene[] = [
  { name: "welcome-no-link", path: "/", shows: "Open the one-time link", sizes: ["narrow"], kept: narrow },
];

/** No host is connected. */
export const hostsAway: readonly Scene[] = [
  { name: "overview-hosts-away", path: "/", shows: "db01 does not answer", kept: two },
  { name: "cache-hosts-away", path: "/cache", shows: /./, kept: wide },
  { name: "hosts-away", path: "/hosts", shows: "Not connected", kept: narrow },
  { name: "volumes-hosts-away", path: "/volumes", shows: "Not connected: as last heard", kept: [] },
  { name: "run-host-away", path: `/runs/${runNamed("live")}`, shows: "Cancel run", kept: wide },
];

async function chooseVolumes(page: Page): Promise<void> {
  for (const volume of ["/home", "/var/lib/postgresql"]) await page.getByRole("checkbox", { name: volume }).click();
  await expect(page.getByText("All at once").first()).toBeVisible();
}

async function whyNotUblk(page: Page): Promise<void> {
  await page.getByText("Why not ublk").click();
  await expect(page.getByText(`this is ${hosts.db01.kernel}`)).toBeVisible();
}

async function addHost(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Add a host" }).click();
  await expect(page.getByText("Waiting for it to connect")).toBeVisible();
}

async function selfTest(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Run the self-test" }).first().click();
  await expect(page.getByRole("button", { name: "Test again" })).toBeVisible();
}

/** What the console says is not what the page was made for: it cannot be drawn. */
async function answersNonsense(page: Page): Promise<void> {
  const nonsense = JSON.stringify([{ result: { data: { json: [null] } } }]);
  await page.route("**/api/trpc/hosts.list?**", (route) =>
    route.fulfill({ contentType: "application/json", body: nonsense }),
  );
  await expect(page.getByRole("heading", { name: "This page could not be shown" })).toBeVisible();
  await page.unroute("**/api/trpc/hosts.list?**");
}

async function wrongPassword(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByText("must be an e-mail address")).toBeVisible();
  await expect(page.getByText("must not be empty")).toBeVisible();
  await expect(page.getByLabel("E-mail")).toBeFocused();
  await page.getByLabel("E-mail").fill("ada@example.net");
  await page.getByLabel("Password").fill("not the right one");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: "password" })).toBeVisible();
}

async function wrongCode(page: Page): Promise<void> {
  await page.getByLabel("Code from your app").fill("12");
  await page.keyboard.press("Enter");
  await expect(page.getByText("must have 6 digits")).toBeVisible();
}

async function palette(page: Page): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to or do" }).fill("web");
  await expect(page.getByRole("option").first()).toBeVisible();
}

/** Of somebody who has no password here and signed in some time ago. */
export const notFresh: readonly Scene[] = [
  { name: "account-no-password", path: "/settings/account", shows: "anew every twelve hours", sizes: ["narrow"] },
  {
    name: "sign-in-again",
    path: "/settings/account",
    shows: "anew every twelve hours",
    act: async (page) => {
      await page.getByRole("button", { name: "Set it up" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
      await expect(page.getByRole("link", { name: "Sign in again with Example" })).toBeVisible();
    },
    kept: two,
    part: '[role="dialog"]',
  },
];

/** The browser has lost the console; what it had been told stays, and is said to be old. */
export const lineCut: readonly Scene[] = [
  { name: "overview-line-cut", path: "/", shows: "Live, ", sizes: ["wide"], kept: wide },
  { name: "volumes-line-cut", path: "/volumes", shows: "Live, ", sizes: ["narrow"], kept: ["narrow-dark"] },
  {
    name: "volume-line-cut",
    path: volumePath({ hostId: hosts.db01.id, name: "/var/lib/postgresql" }),
    shows: "Live, ",
    sizes: ["narrow"],
  },
  {
    name: "run-line-cut",
    path: `/runs/${runNamed("live")}`,
    shows: "Cancel run",
    sizes: ["wide"],
    kept: ["wide-dark"],
  },
];
