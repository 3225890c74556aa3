/** `npm run kernels`: the tests of volumes over ublk under many kernels, one after the other, and how each did. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { debianKernel, knownSeries } from "./rig/kernel";
import { KERNELS, KILLS } from "./rig/kernels";

const help = `Usage: npm run kernels -- [options] [VERSION...]

Boots Debian's cloud kernels in the virtual machine and runs volumes over ublk there, whatever the engine would choose:
kills and recovery under load, full caches, upgrade, killed keeper, ext4 and xfs, detach. A version is a series ("6.18": its newest)
or a release ("6.18.5"). Without one: every series that Debian's package lists have, from 6.12 on. Takes some 3 minutes a kernel.

  --kills N   engines to kill under each (default 100)
`;

const OLDEST = [6, 12] as const;
const TESTS = ["choice", "ublk", "ublk-half-made", "ublk-in-use", "ublk-zero-copy", "failing-disk"].map(
  (name) => `test/machine/${name}.test.ts`,
);

interface Report {
  testResults: Array<{ assertionResults: Array<{ title: string; status: string; failureMessages?: string[] }> }>;
}

interface Outcome {
  /** As `uname -r` tells it. */
  release: string;
  passed: number;
  /** What the kernel lacks, and where there can be no machine. */
  skipped: number;
  failures: string[];
}

async function series(): Promise<string[]> {
  const since = ([major = 0, minor = 0]: number[]) => major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  return (await knownSeries()).filter((one) => since(one.split(".").map(Number)));
}

async function run(version: string, kills: string, scratch: string): Promise<Outcome> {
  const release = basename((await debianKernel(version)).modules);
  const report = join(scratch, `${version}.json`);
  const args = ["vitest", "run", "--project", "machine", "--reporter=default", "--reporter=json"];
  const env = { ...process.env, [KERNELS]: version, [KILLS]: kills };
  await new Promise<void>((done, fail) => {
    const vitest = spawn("npx", [...args, `--outputFile.json=${report}`, ...TESTS], { stdio: "inherit", env });
    vitest.once("error", fail);
    vitest.once("close", () => done());
  });
  const { testResults }: Report = JSON.parse(await readFile(report, "utf8"));
  const tests = testResults.flatMap((suite) => suite.assertionResults);
  const of = (status: string) => tests.filter((test) => test.status === status);
  const passed = of("passed").length;
  const skipped = of("skipped").length + of("pending").length;
  const failed = tests.filter((test) => !["passed", "skipped", "pending"].includes(test.status));
  const firstLine = (text = "") => text.split("\n")[0] ?? "";
  return {
    release,
    passed,
    skipped,
    failures: failed.map((test) => `${test.title}: ${firstLine(test.failureMessages?.[0])}`),
  };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { kills: { type: "string", default: "100" }, help: { type: "boolean", default: false } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const lines: string[] = [];
  let failed = false;
  const scratch = await mkdtemp(join(tmpdir(), "stillframe-kernels-"));
  try {
    for (const version of positionals.length > 0 ? positionals : await series()) {
      try {
        const { release, passed, skipped, failures } = await run(version, values.kills, scratch);
        failed ||= failures.length > 0 || passed === 0;
        lines.push(`${version} (${release}): ${passed} passed, ${failures.length} failed, ${skipped} skipped`);
        lines.push(...failures.map((failure) => `  ${failure}`));
      } catch (error) {
        lines.push(`${version}: not run: ${error instanceof Error ? error.message.trim() : error}`);
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  process.stdout.write(`\n${lines.join("\n")}\n`);
  return failed ? 1 : 0;
}

process.exitCode = await main();
