/** `npm run sanitize`: the native tests, built with AddressSanitizer. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BUILD_ENVIRONMENT, native, Reports, SANITIZER_FLAGS, TRIPLE } from "./address-sanitizer";

const help = `Usage: npm run sanitize -- [options] [NAME]

Builds all of native/ with AddressSanitizer, below native/target/sanitize, and runs its tests: use of memory that is freed, not
owned or out of scope, and memory that nobody can free any more. Engines, keepers and frozen file systems of the tests run
under it too; what any process reports fails the run and is printed. Needs root. Takes some minutes, most of them the build.
To search on with libFuzzer under it: npm run fuzz -- --sanitize

  NAME             only tests whose name contains it
  --package NAME   only this package: cow, transport, engine, freeze, watch, fuzz or powercut
`;

const made = join(native, "target/sanitize");

interface Counts {
  passed: number;
  failed: number;
}

function runTests(args: string[], environment: Record<string, string>): Promise<Counts & { exitCode: number | null }> {
  const env = { ...process.env, ...BUILD_ENVIRONMENT, RUSTFLAGS: SANITIZER_FLAGS.join(" "), ...environment };
  return new Promise((done, fail) => {
    const cargo = spawn("cargo", args, { cwd: native, env, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    cargo.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      process.stdout.write(text);
    });
    cargo.once("error", fail);
    cargo.once("close", (exitCode) => {
      const sums = [...said.matchAll(/^test result: .*?(\d+) passed; (\d+) failed/gm)];
      const sum = (group: number) => sums.reduce((total, match) => total + Number(match[group]), 0);
      done({ passed: sum(1), failed: sum(2), exitCode });
    });
  });
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { package: { type: "string" }, help: { type: "boolean", default: false } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const reports = new Reports(join(made, "reports"));
  await reports.clear();
  const which = values.package === undefined ? ["--workspace"] : ["--package", values.package];
  const where = ["--target", TRIPLE, "--target-dir", made];
  const args = ["test", ...which, "--locked", "--no-fail-fast", ...where, ...positionals.slice(0, 1)];
  const { passed, failed, exitCode } = await runTests(args, reports.environment);
  const found = await reports.read();
  for (const report of found) process.stdout.write(`\n${report}`);
  process.stdout.write(`\n${passed} tests passed, ${failed} failed; ${found.length} reports of the sanitizer\n`);
  return exitCode === 0 && found.length === 0 && passed > 0 ? 0 : 1;
}

process.exitCode = await main();
