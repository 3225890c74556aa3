import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

/** What axe finds wrong on the page as it stands, one line for each place. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Pages have no frames: legacy mode looks at this one document, and opens no second page to sum up.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .options({ resultTypes: ["violations"] })
    .analyze();
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id} at ${node.target.join(" ")}: ${violation.help}`),
  );
}
