/** `npm run fuzz`: searches with libFuzzer for input that breaks a promise of `native/fuzz`, guided by coverage. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mustRun, runProgram } from "@/server/worker/programs/run-program";
import { BUILD_ENVIRONMENT, native, SANITIZER_FLAGS, TRIPLE } from "../sanitize/address-sanitizer";

const help = `Usage: npm run fuzz -- [options]

Builds the targets of native/fuzz with the compiler's coverage instrumentation and runs each for its share of the time, beginning with
native/fuzz/corpus. Inputs that reach new code are added to native/target/fuzz/corpus; with --keep the smallest set of them goes to
native/fuzz/corpus. An input that breaks a promise is left in native/target/fuzz. Needs root.

  --sanitize    under AddressSanitizer as well, which takes twice the time for an input; below native/target/fuzz-sanitized
  --minutes N   how long, all targets together (default 4)
  --only NAME   only this target: fuse, nbd, tls, control or state
  --keep        add what was found to the repository
`;

/** What libFuzzer needs of the compiler; `cargo fuzz` sets the same. */
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

/** Where one kind of build lies, and what is found with it. */
interface Bench {
  directory: string;
  program: string;
  sanitize: boolean;
}

function bench(sanitize: boolean): Bench {
  const directory = join(native, sanitize ? "target/fuzz-sanitized" : "target/fuzz");
  return { directory, program: join(directory, TRIPLE, "release/fuzz-target"), sanitize };
}

async function build({ directory, sanitize }: Bench): Promise<void> {
  const args = ["build", "--release", "--locked", "-p", "fuzz", "--features", "libfuzzer", "--bin", "fuzz-target"];
  const where = ["--manifest-path", join(native, "Cargo.toml"), "--target-dir", directory, "--target", TRIPLE];
  const flags = [...instrumentation, ...(sanitize ? SANITIZER_FLAGS : [])];
  const env = { ...BUILD_ENVIRONMENT, RUSTFLAGS: flags.join(" "), CARGO_PROFILE_RELEASE_LTO: "off" };
  await mustRun("cargo", [...args, ...where], { env, timeoutMs: 1_800_000 });
}

/** True when no promise was broken. */
async function search(at: Bench, target: string, seconds: number, keep: boolean): Promise<boolean> {
  const { directory, program } = at;
  const corpus = join(native, "fuzz/corpus", target);
  const found = join(directory, "corpus", target);
  await mkdir(found, { recursive: true });
  const env = { FUZZ_TARGET: target };
  const limits = [
    `-max_total_time=${seconds}`,
    "-max_len=4096",
    "-timeout=30",
    `-rss_limit_mb=${at.sanitize ? 4096 : 2048}`,
  ];
  const run = await runProgram(program, [...limits, `-artifact_prefix=${join(directory, target)}-`, found, corpus], {
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
      sanitize: { type: "boolean", default: false },
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
  const at = bench(values.sanitize);
  await build(at);
  await rm(join(at.directory, "corpus"), { recursive: true, force: true });
  let failed = 0;
  for (const target of targets) {
    const seconds = Math.ceil((Number(values.minutes) * 60) / targets.length);
    if (!(await search(at, target, seconds, values.keep))) failed += 1;
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
