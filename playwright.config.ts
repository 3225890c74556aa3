import { defineConfig } from "@playwright/test";

/** Debian's browser; nothing is downloaded. */
const chromium = {
  executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

/** At consoles with an invented company: no volume is attached, so these may run beside tests that attach some. */
const pages = /(places|keyboard|roles)\.spec\.ts$/;

export default defineConfig({
  testDir: "test/e2e",
  // Pictures of the places; without them there, CI fails instead of making them.
  snapshotPathTemplate: "{testDir}/places/pictures/{arg}{ext}",
  updateSnapshots: "none",
  projects: [
    { name: "pages", testMatch: pages, outputDir: "test-results/pages" },
    { name: "browser", testIgnore: pages, outputDir: "test-results/browser" },
  ],
  workers: 1,
  fullyParallel: false,
  timeout: 180_000,
  // A file begins anew with an installation of its own; what failed at first is told at the end of `npm test`.
  retries: process.env.CI ? 1 : 0,
  expect: { timeout: 15_000 },
  reporter: [
    ["list"],
    ["json", { outputFile: process.env.PLAYWRIGHT_JSON_OUTPUT_NAME ?? "test-results/browser.json" }],
  ],
  use: { launchOptions: chromium, trace: "retain-on-failure", screenshot: "only-on-failure" },
});
