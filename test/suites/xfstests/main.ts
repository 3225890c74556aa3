/** `npm run xfstests`: the generic tests of xfstests on a raw device and on attached volumes, compared test by test. */

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Cleanup } from "@/test/fixtures/cleanup";
import { onInterruption } from "../../fixtures/interruption";
import { Check } from "./check";
import { build, testsOf } from "./checkout";
import { help, type Options, readOptions } from "./options";
import { areTheSame, type Outcome, type Row, rowLine, summaryText, verdictOf } from "./outcome";
import { makeSubjects, type Subject } from "./subjects";
import { addUsers } from "./users";

const say = (line: string) => void process.stderr.write(`${line}\n`);
let interrupted = false;

/** The exit status. */
async function main(options: Options, check: Check): Promise<number> {
  await build(options, say);
  const tests = await testsOf(options);
  if (interrupted) return 130;
  const directory = await mkdtemp(join(options.directory, "stillframe-xfstests-"));
  const cleanup = new Cleanup();
  cleanup.add(`remove ${directory}`, () => rm(directory, { recursive: true, force: true }));
  try {
    await chmod(directory, 0o755); // for the users of some tests
    await addUsers(cleanup, directory);
    const { subjects, snapshotted } = await makeSubjects(cleanup, directory, options.fileSystem, options.snapshot);
    const names = subjects.map(({ name }) => name);
    const until = Date.now() + options.minutes * 60_000;
    const rows: Row[] = [];
    for (const test of tests) {
      if (interrupted || Date.now() >= until) break;
      const outcomes = await onEach(subjects, check, test);
      const repeated = areTheSame(outcomes) ? [] : await onEach(subjects, check, test);
      if (interrupted) break;
      rows.push({ test, outcomes, repeated });
      say(rowLine(names, { test, outcomes, repeated }));
    }
    const found = (await Promise.all(subjects.map((subject) => subject.finish()))).flat();
    const summary = summaryText(names, rows, tests.slice(rows.length));
    process.stdout.write(`${[summary, ...found].join("\n")}\n`);
    const document = { fileSystem: options.fileSystem, subjects: names, rows, found, interrupted };
    if (options.json !== null) await writeFile(options.json, `${JSON.stringify(document, null, 2)}\n`);
    if (interrupted) return 130;
    const different = rows.some((row) => verdictOf(row) === "different") || (snapshotted?.lostOrWrong ?? 0) > 0;
    return different ? 1 : 0;
  } finally {
    await cleanup.run();
  }
}

async function onEach(subjects: Subject[], check: Check, test: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const subject of subjects) {
    if (interrupted) break;
    await subject.before();
    const outcome = await check.run(test, subject.devices);
    await (outcome.kind === "tooSlow" || outcome.kind === "failed" ? subject.renew() : subject.settle());
    outcomes.push(outcome);
  }
  return outcomes;
}

let options: Options | null;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  say(`${error instanceof Error ? error.message : error}\n\n${help}`);
  process.exit(2);
}
if (options === null) {
  process.stdout.write(help);
} else {
  const check = new Check(options.build, options.testSeconds);
  onInterruption((signal) => {
    if (!interrupted) say(`${signal}: taking everything down`);
    interrupted = true;
    check.interrupt();
  });
  try {
    process.exitCode = await main(options, check);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = interrupted ? 130 : 2;
  }
}
