/**
 * `npm test`: installs what is missing, builds, and runs every check and test there is. Goes on after a
 * stage that fails, so that one run shows all failures. The last line is the sum.
 *
 * `npm test -- unit lint` runs only the stages named.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Refusal, say } from "../../server/cli/up/bootstrap-steps.mjs";
import { build, root } from "../../server/cli/up/build.mjs";
import {
  buildPackageOf,
  find,
  installPackages,
  programPackageOf,
  requireDevices,
  requireLinuxAndRoot,
  requireNode,
  testPackageOf,
} from "../../server/cli/up/requirements.mjs";
import { findings } from "./leftovers.mjs";
import { countCargo, countPlaywright, countSoak, countVitest, interruptStages, runStage } from "./stage.mjs";

const reports = join(root, "test-results", "counts");
const native = join(root, "native");
const bin = (/** @type {string} */ name) => join(root, "node_modules/.bin", name);
const cargo = () => find("cargo") ?? "cargo";

/** @param {string} project @returns {import("./stage.mjs").Stage} */
function vitest(project) {
  const file = join(reports, `${project}.json`);
  const args = ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  return { name: project, program: bin("vitest"), args, count: countVitest(file) };
}

/** @param {string} project @returns {import("./stage.mjs").Stage} */
function playwright(project) {
  const file = join(reports, `${project}.json`);
  return {
    name: project,
    program: bin("playwright"),
    args: ["test", "--project", project],
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
    count: countPlaywright(file),
  };
}

/** With mounts of its own, which no other program's mount namespace can keep busy. @param {string} program @param {string[]} args */
function privately(program, ...args) {
  return { program: "unshare", args: ["--mount", "--propagation", "private", program, ...args] };
}

/** @returns {import("./stage.mjs").Stage[]} */
function stages() {
  const soakReport = join(reports, "soak.json");
  const hung = vitest("hung-engines");
  return [
    { name: "lint", program: bin("biome"), args: ["ci"] },
    { name: "types", program: bin("tsc"), args: [] },
    { name: "unused", program: bin("knip"), args: [] },
    { name: "unit", ...vitest("unit") },
    { name: "native-format", program: cargo(), args: ["fmt", "--check"], cwd: native },
    {
      name: "native-lint",
      program: cargo(),
      args: ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
      cwd: native,
    },
    { name: "native", program: cargo(), args: ["test", "--workspace", "--locked"], cwd: native, count: countCargo },
    {
      name: "native-model",
      program: cargo(),
      args: ["test", "--locked", "--package", "cow", "--features", "model", "--test", "model"],
      cwd: native,
      count: countCargo,
    },
    // It waits more than it works, and what it runs beside attaches nothing.
    { ...hung, ...privately(hung.program, ...hung.args), beside: "native", until: "console" },
    vitest("dependencies"),
    vitest("console"),
    vitest("integration"),
    vitest("faults"),
    vitest("suites"),
    vitest("machine"),
    // Another machine of its own: neither touches a volume of this one.
    { ...vitest("powercut"), beside: "machine" },
    {
      name: "soak",
      ...privately(bin("tsx"), "test/soak/main.ts", "--minutes", "2", "--json", soakReport),
      count: countSoak(soakReport),
    },
    { ...playwright("pages"), beside: "integration" },
    playwright("browser"),
  ];
}

async function prepare() {
  requireNode();
  requireLinuxAndRoot();
  requireDevices();
  const packages = { ...programPackageOf, ...buildPackageOf, ...testPackageOf };
  await installPackages(root, packages, { services: false });
  await build();
}

const chosen = process.argv.slice(2);
const known = stages().map((stage) => stage.name);
const unknown = chosen.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  say(`There is no stage ${unknown.join(", ")}; there are ${known.join(", ")}.`);
  process.exit(2);
}
const before = findings();
const started = performance.now();
try {
  await prepare();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(`\n${error.message}\n  ${error.todo}`);
  process.stdout.write("0 passed, 1 failed, 0 skipped\n");
  process.exit(1);
}
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
const results = /** @type {import("./stage.mjs").Result[]} */ ([
  {
    name: "install and build",
    seconds: (performance.now() - started) / 1000,
    passed: 1,
    failed: 0,
    skipped: [],
  },
]);
const wanted = stages().filter((stage) => chosen.length === 0 || chosen.includes(stage.name));
const names = wanted.map((stage) => stage.name);
let asked = /** @type {NodeJS.Signals | null} */ (null);
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.on(signal, () => {
    asked = signal;
    say(`${signal}: what runs cleans up, and the rest is not run`);
    interruptStages();
  });
}
/** Until when they may go on: after the stage of that name their results are waited for. */
let companions = /** @type {{ until: string, result: Promise<import("./stage.mjs").Result> }[]} */ ([]);
for (const stage of wanted) {
  if (asked !== null) break;
  if (stage.beside && names.includes(stage.beside)) continue;
  for (const one of wanted.filter((other) => other.beside === stage.name)) {
    const until = one.until && names.includes(one.until) ? one.until : stage.name;
    companions.push({ until, result: runStage(one, root, { later: true }) });
  }
  results.push(await runStage(stage, root));
  const due = companions.filter(({ until }) => until === stage.name);
  companions = companions.filter((one) => !due.includes(one));
  results.push(...(await Promise.all(due.map(({ result }) => result))));
}
results.push(...(await Promise.all(companions.map(({ result }) => result))));
const left = [...findings()].filter((finding) => !before.has(finding));
results.push({
  name: "nothing left",
  seconds: 0,
  passed: left.length === 0 ? 1 : 0,
  failed: left.length === 0 ? 0 : 1,
  skipped: [],
});

process.stdout.write("\n");
for (const { name, passed, failed, skipped, seconds } of results) {
  const counts = `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
  process.stdout.write(
    `${failed ? "FAILED" : "ok    "}  ${name.padEnd(18)} ${counts.padEnd(36)} ${seconds.toFixed(1)} s\n`,
  );
}
for (const { name, failures = [] } of results)
  for (const failure of failures) process.stdout.write(`failed: ${name}: ${failure}\n`);
for (const finding of left) process.stdout.write(`left behind: ${finding}\n`);
for (const name of results.flatMap((result) => result.skipped)) process.stdout.write(`skipped: ${name}\n`);
const sum = (/** @type {"passed" | "failed"} */ key) => results.reduce((total, result) => total + result[key], 0);
const skippedCount = results.reduce((total, result) => total + result.skipped.length, 0);
process.stdout.write(`${sum("passed")} passed, ${sum("failed")} failed, ${skippedCount} skipped\n`);
process.exit(sum("failed") === 0 && asked === null ? 0 : 1);
