/** `npm run fuzz`: searches with libFuzzer for input that breaks a promise of `native/fuzz`, guided by coverage. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mustRun, runProgram } from "@/server/worker/programs/run-program";

const help = `Usage: npm run fuzz -- [options]

Builds the targets of native/fuzz with the compiler's coverage instrumentation (no sanitizer: that needs another toolchain) and runs
each for its share of the time, beginning with native/fuzz/corpus. Inputs that reach new code are added to native/target/fuzz/corpus; with
--keep the smallest set of them goes to native/fuzz/corpus. An input that breaks a promise is left in native/target/fuzz. Needs root.

  --minutes N   how long, all targets together (default 4)
  --only NAME   only this target: fuse, nbd, tls, control or state
  --keep        add what was found to the repository
`;

const native = fileURLToPath(new URL("../../native", import.meta.url));
const made = join(native, "target/fuzz");
const triple = "x86_64-unknown-linux-gnu";
const program = join(made, triple, "release/fuzz-target");

/** What libFuzzer needs of the compiler; `cargo fuzz` sets the same, and a sanitizer. */
const instrumentation = [
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
  "-Ccodegen-units=1",
  "-Cdebug-assertions",
  "-Coverflow-checks",
];

async function build(): Promise<void> {
  const args = ["build", "--release", "--locked", "-p", "fuzz", "--features", "libfuzzer", "--bin", "fuzz-target"];
  const where = ["--manifest-path", join(native, "Cargo.toml"), "--target-dir", made, "--target", triple];
  const path = [process.env.PATH, join(homedir(), ".cargo/bin")].join(delimiter);
  const env = { PATH: path, RUSTFLAGS: instrumentation.join(" "), CARGO_PROFILE_RELEASE_LTO: "off" };
  await mustRun("cargo", [...args, ...where], { env, timeoutMs: 1_800_000 });
}

/** True when no promise was broken. */
async function search(target: string, seconds: number, keep: boolean): Promise<boolean> {
  const corpus = join(native, "fuzz/corpus", target);
  const found = join(made, "corpus", target);
  await mkdir(found, { recursive: true });
  const env = { FUZZ_TARGET: target };
  const limits = [`-max_total_time=${seconds}`, "-max_len=4096", "-timeout=30", "-rss_limit_mb=2048"];
  const run = await runProgram(program, [...limits, `-artifact_prefix=${join(made, target)}-`, found, corpus], {
    env,
    timeoutMs: (seconds + 120) * 1000,
  });
  const done = /^Done (\d+) runs.*$/m.exec(run.stderr);
  const coverage = [...run.stderr.matchAll(/cov: (\d+)/g)].at(-1)?.[1];
  const kept = (await readdir(corpus)).length;
  process.stdout.write(`${target}: ${done?.[0] ?? "ended early"}, ${coverage} edges, ${kept} inputs kept\n`);
  if (run.exitCode !== 0) {
    process.stdout.write(run.stderr.slice(-4000));
    return false;
  }
  if (keep) await mustRun(program, ["-merge=1", "-max_len=4096", corpus, found], { env, timeoutMs: 1_800_000 });
  return true;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "4" },
      only: { type: "string" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const known = await readdir(join(native, "fuzz/corpus"));
  const targets = known.filter((name) => values.only === undefined || values.only === name);
  if (targets.length === 0) throw new Error(`there is no target ${values.only}; there are ${known.join(", ")}`);
  await build();
  await rm(join(made, "corpus"), { recursive: true, force: true });
  let failed = 0;
  for (const target of targets) {
    const seconds = Math.ceil((Number(values.minutes) * 60) / targets.length);
    if (!(await search(target, seconds, values.keep))) failed += 1;
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
