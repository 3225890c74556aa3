/** Needs User-Mode Linux and the device mapper's programs; skipped by name without them. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { missingForUml } from "../uml/boot";
import { replay, type Verdict } from "./replay";
import { type Recorded, record, type Scenario } from "./scenario";
import { buildWriter, scenarios, scratchParent } from "./scenarios";

const SECONDS = 2;
const all = scenarios(SECONDS);
/** The longer form (`npm run powercut`) has all of them, and all boundaries. */
const here = [
  "raw records, snapshots open",
  "ext4",
  "ext4 in an image file, snapshots open",
  "xfs, snapshots open",
].map((name) => all.find((scenario) => scenario.name === name) as Scenario);
const missing = missingForUml();
const cleanup = cleanupAfterEach();

async function cut(scenario: Scenario): Promise<Verdict & Recorded> {
  const directory = await mkdtemp(join(scratchParent, "stillframe-powercut-"));
  cleanup.add(`remove ${directory}`, () => rm(directory, { recursive: true, force: true }));
  const recorded = await record(scenario, directory);
  const verdict = await replay(scenario, recorded, directory, { mostStates: 40, seed: 1, mostViolations: 5 });
  return { ...recorded, ...verdict };
}

describe.skipIf(missing)(`power cuts${missing ? ` (${missing})` : ""}`, () => {
  beforeAll(buildWriter);

  it.each(here)("after a power cut $name: all that was acknowledged as durable is there", async (scenario) => {
    const verdict = await cut(scenario);
    expect(verdict.violations).toEqual([]);
    expect(verdict.claims).toBeGreaterThan(0);
    expect(verdict.checked).toBeGreaterThan(10);
    if (scenario.snapshots) expect(verdict.preservedBlocks).toBeGreaterThan(0);
  });

  it("flushes that get lost between the engine and the backing store are found out", async () => {
    const lost = { ...(all[0] as Scenario), flushesLost: true };
    const verdict = await cut(lost);
    expect(verdict.claims).toBeGreaterThan(0);
    expect(verdict.violations.join("; ")).toMatch(/record \d+, found \d+/);
  });
});
