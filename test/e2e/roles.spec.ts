/**
 * Every place as every role, in the browser: what the one permission table allows is offered and what it does not allow
 * is not, or says why; no page asks the console for what it is then refused. The company of the pictures is looked at.
 */
import { type BrowserContext, expect, type Locator, type Page, test } from "@playwright/test";
import { volumePath } from "@/app/(console)/volumes/volume-path";
import { may, type Permission, permissions, type Role, roles } from "@/server/core/access/permissions";
import { hosts } from "./places/company";
import { CompanyConsole } from "./places/company-console";
import { jobs } from "./places/company-jobs";
import { runNamed } from "./places/company-runs";
import { Answers, settled } from "./places/settled";

test.use({ trace: "off" });

const port = Number(process.env.STILLFRAME_TEST_PORT ?? 4170);

type Offer = [permission: Permission, (page: Page) => Locator];
type Place = { path: string; title: string | RegExp; offers?: readonly Offer[] };

const button = (name: string | RegExp) => (page: Page) => page.getByRole("button", { name, exact: true }).first();
const link = (name: string) => (page: Page) => page.getByRole("link", { name, exact: true }).first();
const field = (name: string | RegExp) => (page: Page) => page.getByLabel(name, { exact: true }).first();

const places: readonly Place[] = [
  { path: "/", title: "Overview" },
  {
    path: "/jobs",
    title: "Jobs & runs",
    offers: [
      ["changeJobs", link("New job")],
      ["runJobs", button("Run Documents now")],
      ["runJobs", field("Choose Documents")],
    ],
  },
  { path: "/jobs/new", title: "New job", offers: [["changeJobs", button("Create job")]] },
  {
    path: `/jobs/${jobs.documents.id}`,
    title: "Documents",
    offers: [
      ["runJobs", button("Run now")],
      ["changeJobs", button("Save")],
      ["changeJobs", field("Name")],
    ],
  },
  { path: "/runs", title: "Runs" },
  { path: `/runs/${runNamed("live")}`, title: /Nightly/, offers: [["runJobs", button("Cancel run")]] },
  {
    path: `/runs/${runNamed("succeeded")}`,
    title: /Nightly/,
    offers: [
      ["runJobs", button("Run again")],
      ["browseBackups", (page) => page.getByRole("heading", { name: "Restore files" })],
      ["restore", field("Restore to")],
    ],
  },
  {
    path: "/volumes",
    title: "Volumes",
    offers: [
      ["changeVolumes", button("Attach a volume")],
      ["changeVolumes", button("Attach /var/log")],
    ],
  },
  {
    path: volumePath({ hostId: hosts.web01.id, name: "/var/log" }),
    title: "/var/log",
    offers: [["changeVolumes", button("Attach /var/log")]],
  },
  { path: "/cache", title: "Cache", offers: [["troubleshoot", button("Remove")]] },
  {
    path: "/troubleshoot",
    title: "Troubleshoot",
    offers: [["troubleshoot", button("Acknowledge OFO-QUIET of Web content")]],
  },
  {
    path: "/articles",
    title: "Knowledge base",
    offers: [["readFeedback", (page) => page.getByRole("heading", { name: "What readers said" })]],
  },
  { path: "/articles/a000851c", title: /./, offers: [["rateArticles", button("Yes")]] },
  {
    path: "/hosts",
    title: "Hosts",
    offers: [
      ["troubleshoot", button("Run the self-test")],
      ["manageHosts", button("Add a host")],
      ["manageHosts", button("Remove")],
    ],
  },
  {
    path: "/settings",
    title: "Settings",
    offers: [["changeSettings", field("Process logical volumes for backup one at a time, for all jobs")]],
  },
  {
    path: "/settings/notifications",
    title: "Notifications",
    offers: [["manageNotifications", button("Add a channel")]],
  },
  { path: "/settings/users", title: "Users and roles", offers: [["manageUsers", button("Invite somebody")]] },
  { path: "/settings/single-sign-on", title: "Single sign-on", offers: [["manageUsers", button("Save")]] },
  { path: "/settings/keys", title: "Other programs", offers: [["manageKeys", button("New key")]] },
  { path: "/settings/audit", title: "Audit log", offers: [["readAudit", button("Export as CSV")]] },
  { path: "/settings/account", title: "Your account", offers: [["see", button("Change password")]] },
];
/** Not offered on pages: what all see, and what programs ask for by their keys. */
const without: readonly Permission[] = ["see", "readMetrics"];

let company: CompanyConsole;
let here: BrowserContext;

test.beforeAll(async ({ browser }) => {
  company = new CompanyConsole("filled", port);
  await company.start();
  here = await browser.newContext({ baseURL: company.origin, viewport: { width: 1440, height: 900 } });
});
test.afterAll(async () => {
  await here?.close();
  await company?.remove();
});

test("each permission of the table is looked for on a page", () => {
  const offered = new Set(places.flatMap(({ offers = [] }) => offers.map(([permission]) => permission)));
  const missing = (Object.keys(permissions) as Permission[]).filter((one) => !offered.has(one));
  expect(missing.filter((one) => !without.includes(one))).toEqual([]);
});

for (const role of roles)
  test(`${role}: every place offers what the role may do, and nothing else`, async () => {
    const page = await here.newPage();
    const answers = new Answers(page);
    const wrong = troubles(page);
    await here.clearCookies();
    await company.signIn(here, role);
    for (const { path, title, offers = [] } of places) {
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 1, name: title }), path).toBeVisible();
      await settled(page, answers);
      for (const [permission, find] of offers)
        if (may(role, permission)) await expect(find(page), `${permission} at ${path}`).toBeEnabled();
        else expect(await isOffered(find(page)), `${permission} at ${path} as ${role}`).toBe(false);
    }
    await failureOffers(page, role);
    expect(wrong).toEqual([]);
    await page.close();
  });

test("nobody is led to the sign-in from every place, and from there back to it", async () => {
  for (const { path } of places) {
    const answer = await fetch(company.origin + path, { redirect: "manual" });
    expect([path, answer.status]).toEqual([path, 307]);
    const wanted = path === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(path)}`;
    expect(new URL(answer.headers.get("location") ?? "", company.origin)).toEqual(new URL(wanted, company.origin));
  }
});

/** A failure's address is another each time. What reaches beyond the job is not an operator's, and says so. */
async function failureOffers(page: Page, role: Role): Promise<void> {
  await page.goto("/troubleshoot");
  await page.getByRole("link", { name: "Fix a000851c of Documents" }).click();
  await page.waitForURL(/\/troubleshoot\/.+/);
  await expect(page.getByRole("heading", { name: "Fix it" })).toBeVisible();
  const least = may(role, "troubleshoot");
  await expect(page.getByRole("button", { name: "Apply: One at a time, and rerun" })).toHaveCount(least ? 1 : 0);
  await expect(page.getByText(/This needs the role operator; yours is viewer\./).first()).toBeVisible({
    visible: !least,
  });
  await expect(page.getByRole("button", { name: /^Download diagnostics/ })).toHaveCount(least ? 1 : 0);
}

async function isOffered(control: Locator): Promise<boolean> {
  return (await control.count()) > 0 && (await control.isEnabled());
}

/** What the browser complains of, and questions that the console refuses. What is under way when a page is left is neither. */
function troubles(page: Page): string[] {
  const found: string[] = [];
  page.on("console", (message) => message.type() === "error" && found.push(`${page.url()}: ${message.text()}`));
  page.on("pageerror", (error) => found.push(`${page.url()}: ${error.message}`));
  page.on("response", (answer) => answer.status() >= 400 && found.push(`${answer.status()} ${answer.url()}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED") found.push(`${why} ${request.url()}`);
  });
  return found;
}
