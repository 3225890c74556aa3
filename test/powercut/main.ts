/** `npm run powercut`: power cuts for as long as is asked, every boundary of every log. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interruptible } from "../fixtures/interruption";
import { missingForUml } from "../uml/boot";
import { type Effort, replay } from "./replay";
import { record, type Scenario } from "./scenario";
import { buildWriter, scenarios, scratchParent } from "./scenarios";

const help = `Usage: npm run powercut -- [options]

Records all writes beneath an attached volume in a machine under User-Mode Linux, replays them to every flush and FUA boundary, and
checks that each state mounts, is sound, and holds what was acknowledged as durable. Needs root. See test/powercut/README.md.

  --minutes N   how long (default 5); every scenario runs at least once
  --seconds N   how long a scenario writes (default 8)
  --only TEXT   only scenarios with this in their name
  --states N    look at no more than so many states of a log (default: all)
`;

async function main(interrupted: AbortSignal): Promise<number> {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values } = parseArgs({
    options: {
      minutes: text("5"),
      seconds: text("8"),
      only: text(""),
      states: text("1000000"),
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const missing = missingForUml();
  if (missing) {
    process.stderr.write(`Power cuts cannot be tried here: ${missing}\n`);
    return 1;
  }
  await buildWriter();
  const chosen = scenarios(Number(values.seconds)).filter(({ name }) => name.includes(values.only));
  const end = Date.now() + Number(values.minutes) * 60_000;
  const sum = { logs: 0, states: 0, claims: 0, violations: 0 };
  for (let round = 1; round === 1 || Date.now() < end; round += 1) {
    for (const scenario of chosen) {
      if (round > 1 && Date.now() >= end) break;
      const verdict = await once(scenario, {
        mostStates: Number(values.states),
        seed: round,
        mostViolations: 20,
        interrupted,
      });
      sum.logs += 1;
      sum.states += verdict.checked;
      sum.claims += verdict.claims;
      sum.violations += verdict.violations.length;
    }
  }
  const { logs, states, claims, violations } = sum;
  process.stdout.write(`${logs} logs, ${claims} claims, ${states} states after a cut, ${violations} violations\n`);
  return violations === 0 ? 0 : 1;
}

async function once(scenario: Scenario, effort: Effort) {
  const directory = await mkdtemp(join(scratchParent, "stillframe-powercut-"));
  try {
    const recorded = await record(scenario, directory, effort.interrupted);
    const verdict = await replay(scenario, recorded, directory, effort);
    const { boundaries, checked, claims, violations } = verdict;
    process.stdout.write(
      `${scenario.name}: ${claims} claims, ${recorded.preservedBlocks} blocks preserved, ${boundaries} boundaries, ` +
        `${checked} states, ${violations.length} violations\n`,
    );
    for (const violation of violations) process.stdout.write(`  ${violation}\n`);
    return verdict;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

process.exitCode = await interruptible("taking everything down", main);
