/**
 * A stage of `npm test`: a program, and how many tests its output stands for. A stage without tests of its
 * own (lint, types) counts as one. A stage whose tests all passed but that ended badly counts one failure.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

/**
 * `failures`: what failed, a line each, to be told again at the end of a long run.
 * `beside`: runs while the stage of that name does, where both are to run; `until`: and while others do up to that one.
 * @typedef {{passed: number, failed: number, skipped: string[], failures?: string[]}} Counts
 * @typedef {{
 *   name: string, program: string, args: string[], cwd?: string, env?: Record<string, string>, beside?: string,
 *   until?: string, count?: (output: string) => Counts,
 * }} Stage
 * @typedef {Counts & {name: string, seconds: number}} Result
 */

/**
 * `later`: says nothing before its end, so that what runs at once can be told apart.
 * @param {Stage} stage @param {string} root @param {{later?: boolean}} options
 * @returns {Promise<Result>}
 */
export async function runStage(stage, root, { later = false } = {}) {
  const started = performance.now();
  if (!later) process.stdout.write(`\n=== ${stage.name}\n`);
  const { code, output } = await run(stage, root, later);
  if (later) process.stdout.write(`\n=== ${stage.name}\n${output}`);
  const seconds = (performance.now() - started) / 1000;
  const counts = stage.count
    ? stage.count(output)
    : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [] };
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  const ran = counts.passed + counts.failed + counts.skipped.length > 0;
  // A stage that finds no test is broken, not finished.
  if (!ran) counts.failed = 1;
  process.stdout.write(`--- ${stage.name}: ${counts.failed === 0 ? "ok" : "FAILED"}, ${seconds.toFixed(1)} s\n`);
  return { ...counts, name: stage.name, seconds };
}

/** Programs of the stages that go on. @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

let interrupted = false;

/** Longer than any test cleans up after itself. */
const CLEANED_UP_WITHIN_MS = 60_000;

/** As Ctrl-C in a terminal does: each program and what it has started cleans up and ends. */
export function interruptStages() {
  interrupted = true;
  for (const { pid } of running) if (pid !== undefined) signalGroup(pid, "SIGINT");
}

/** Waits for what an interrupted program has started and left to itself. @param {number} leader */
async function untilGroupEnded(leader) {
  const end = Date.now() + CLEANED_UP_WITHIN_MS;
  while (Date.now() < end && signalGroup(leader, 0)) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** False: nobody is in it. @param {number} leader @param {NodeJS.Signals | 0} signal */
function signalGroup(leader, signal) {
  try {
    return process.kill(-leader, signal);
  } catch {
    return false;
  }
}

/** @param {Stage} stage @param {string} root @param {boolean} silent @returns {Promise<{code: number, output: string}>} */
function run(stage, root, silent) {
  return new Promise((resolve) => {
    /** @type {Buffer[]} */
    const chunks = [];
    const child = spawn(stage.program, stage.args, {
      cwd: stage.cwd ?? root,
      env: { ...process.env, ...stage.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        chunks.push(chunk);
        if (!silent) process.stdout.write(chunk);
      });
    }
    child.once("error", (error) => {
      if (!silent) process.stdout.write(`${error.message}\n`);
      resolve({ code: 127, output: `${error.message}\n` });
    });
    child.once("close", async (code) => {
      running.delete(child);
      if (interrupted && child.pid !== undefined) await untilGroupEnded(child.pid);
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") });
    });
  });
}

/** @param {string} output of `cargo test` @returns {Counts} */
export function countCargo(output) {
  const counts = {
    passed: 0,
    failed: 0,
    skipped: /** @type {string[]} */ ([]),
    failures: /** @type {string[]} */ ([]),
  };
  for (const [, passed, failed] of output.matchAll(/test result: \w+\. (\d+) passed; (\d+) failed/g)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
  }
  for (const [, name] of output.matchAll(/^test (.+?) \.\.\. ignored/gm)) counts.skipped.push(`native: ${name}`);
  for (const [, name] of output.matchAll(/^test (.+?) \.\.\. FAILED/gm)) counts.failures.push(name);
  return counts;
}

/** @param {string} message @returns {string} its first line, without colours */
const firstLine = (message) => (stripVTControlCharacters(message).trim().split("\n")[0] ?? "").slice(0, 300);

const FIRST_ATTEMPT = " (its first attempt only)";

/** @param {string} file vitest's JSON report @returns {() => Counts} */
export const countVitest = (file) => () => {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: [] };
  const report = JSON.parse(readFileSync(file, "utf8"));
  const tests = report.testResults.flatMap((/** @type {any} */ suite) => suite.assertionResults);
  const broken = report.testResults.filter(
    (/** @type {any} */ suite) =>
      suite.status === "failed" && suite.assertionResults.every((/** @type {any} */ t) => t.status !== "failed"),
  );
  const failures = tests
    .filter((/** @type {any} */ test) => test.failureMessages?.length > 0)
    .map(
      (/** @type {any} */ test) =>
        `${test.fullName}${test.status === "passed" ? FIRST_ATTEMPT : ""}: ${firstLine(test.failureMessages[0])}`,
    );
  for (const suite of broken) failures.push(`${suite.name}: ${firstLine(suite.message)}`);
  return {
    failures,
    passed: tests.filter((/** @type {any} */ test) => test.status === "passed").length,
    failed: tests.filter((/** @type {any} */ test) => test.status === "failed").length + broken.length,
    skipped: tests
      .filter((/** @type {any} */ test) => test.status !== "passed" && test.status !== "failed")
      .map((/** @type {any} */ test) => test.fullName),
  };
};

/** @param {string} file Playwright's JSON report @returns {() => Counts} */
export const countPlaywright = (file) => () => {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: [] };
  const report = JSON.parse(readFileSync(file, "utf8"));
  const { expected, unexpected, flaky } = report.stats;
  /** @type {string[]} */
  const skipped = [];
  /** @type {string[]} */
  const failures = report.errors.map((/** @type {any} */ error) => firstLine(error.message ?? "an error"));
  const visit = (/** @type {any} */ suite) => {
    for (const spec of suite.specs ?? []) {
      if (spec.tests.some((/** @type {any} */ test) => test.status === "skipped"))
        skipped.push(`browser: ${spec.title}`);
      const error = spec.tests
        .flatMap((/** @type {any} */ t) => t.results)
        .findLast((/** @type {any} */ r) => r.error)?.error;
      if (error)
        failures.push(
          `${spec.title}${spec.ok ? FIRST_ATTEMPT : ""}: ${firstLine(error.message ?? "")} (line ${error.location?.line})`,
        );
    }
    for (const child of suite.suites ?? []) visit(child);
  };
  for (const suite of report.suites) visit(suite);
  return { passed: expected + flaky, failed: unexpected + report.errors.length, skipped, failures };
};

/** @param {string} file the soak's JSON summary: each kind of comparison is a test @returns {() => Counts} */
export const countSoak = (file) => () => {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: [] };
  const summary = JSON.parse(readFileSync(file, "utf8"));
  const failed = summary.comparisons.filter((/** @type {any} */ one) => one.failed > 0);
  const reached = summary.comparisons.filter((/** @type {any} */ one) => one.times > 0 && one.failed === 0);
  const never = summary.comparisons.filter((/** @type {any} */ one) => one.times === 0 && one.failed === 0);
  return {
    passed: reached.length,
    failed: Math.max(failed.length, summary.errors.length > 0 ? 1 : 0),
    failures: [...summary.errors, ...failed.map((/** @type {any} */ one) => one.what)].map(String),
    skipped: never.map((/** @type {any} */ one) => `soak: not reached in the time: ${one.what}`),
  };
};
