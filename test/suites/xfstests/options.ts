/** What `npm run xfstests` is asked for. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { FileSystem } from "@/test/fixtures/attached-volume";

export const help = `Usage: npm run xfstests -- --source DIR [options]

Runs the generic tests of xfstests on a raw loop device and on an attached volume, one test after the other on each, and compares
what they say of it. DIR is a checkout of xfstests (git://git.kernel.org/pub/scm/fs/xfs/xfstests-dev.git); it is copied and built
elsewhere, and not changed. Needs root, and what xfstests is built with. Exit status: 0 the same everywhere, 1 a difference or a lost
snapshot, 2 wrong usage or it cannot be built, 130 interrupted.

  --source DIR       the checkout
  --build DIR        where it is built, and kept for the next time (default ~/.cache/stillframe/xfstests)
  --fs ext4|xfs      the file system (default ext4)
  --group NAME       which of the generic tests (default quick)
  --tests LIST       these tests instead, as in generic/001,generic/013
  --from TEST        leave out the tests of the group before this one
  --snapshot         also on an attached volume with snapshots open, each compared with its instant
  --test-seconds N   a test is ended after so long (default 120)
  --minutes N        begin no further test after so long (default 60)
  --dir PATH         where the image files lie, about 10 GiB at most (default /dev/shm: in memory)
  --json FILE        also write every outcome there, as one JSON document
`;

export interface Options {
  source: string;
  build: string;
  fileSystem: FileSystem;
  group: string;
  /** Null: those of the group. */
  tests: string[] | null;
  from: string | null;
  snapshot: boolean;
  testSeconds: number;
  minutes: number;
  directory: string;
  json: string | null;
}

/** A test's name, as `generic/013`. */
const TEST = /^generic\/\d{3,}$/;

/** Null where help was asked for; throws a sentence for a person. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      source: { type: "string" },
      build: { type: "string", default: join(homedir(), ".cache/stillframe/xfstests") },
      fs: { type: "string", default: "ext4" },
      group: { type: "string", default: "quick" },
      tests: { type: "string" },
      from: { type: "string" },
      snapshot: { type: "boolean", default: false },
      "test-seconds": { type: "string", default: "120" },
      minutes: { type: "string", default: "60" },
      dir: { type: "string", default: existsSync("/dev/shm") ? "/dev/shm" : "/var/tmp" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  if (values.source === undefined) throw new Error("--source must name a checkout of xfstests");
  const source = resolve(values.source);
  if (!existsSync(join(source, "check")) || !existsSync(join(source, "tests/generic"))) {
    throw new Error(`${source} is no checkout of xfstests: it has no check or no tests/generic`);
  }
  const [build, directory] = [resolve(values.build), resolve(values.dir)];
  if (build === source || build.startsWith(`${source}/`)) throw new Error("--build must lie outside of --source");
  for (const path of [build, directory]) {
    if (`${path}/`.startsWith("/tmp/"))
      throw new Error(`${path} must not lie in /tmp, which the tests have for themselves`);
  }
  if (values.fs !== "ext4" && values.fs !== "xfs") throw new Error("--fs must be ext4 or xfs");
  if (!/^[a-z_]+$/.test(values.group)) throw new Error("--group must be the name of one group, as quick");
  const tests = values.tests?.split(",") ?? null;
  for (const name of [...(tests ?? []), ...(values.from === undefined ? [] : [values.from])]) {
    if (!TEST.test(name)) throw new Error(`"${name}" is no test: they are named as generic/013`);
  }
  const number = (name: string, text: string, least: number) => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < least) throw new Error(`--${name} must be a number from ${least} on`);
    return value;
  };
  return {
    source,
    build,
    fileSystem: values.fs,
    group: values.group,
    tests,
    from: values.from ?? null,
    snapshot: values.snapshot,
    testSeconds: number("test-seconds", values["test-seconds"], 1),
    minutes: number("minutes", values.minutes, 0.1),
    directory,
    json: values.json ?? null,
  };
}
