/** A copy of an administrator's checkout of xfstests, built, and the tests that it has. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun, runProgram } from "@/server/worker/programs/run-program";
import type { Options } from "./options";

const BUILD_TIME_MS = 1_800_000;

/** Debian packages without which it cannot be built or started. */
const needed = [
  ...["autoconf", "automake", "libtool", "libtool-bin", "gcc", "make", "pkg-config", "gettext"],
  ...["uuid-dev", "xfslibs-dev", "libacl1-dev", "libattr1-dev", "libaio-dev"],
  ...["acl", "attr", "bc", "gawk", "perl", "e2fsprogs", "xfsprogs", "psmisc"],
];
/** Without these some tests are not run. */
const wanted = [
  "libcap-dev",
  "libgdbm-dev",
  "liburing-dev",
  "dbench",
  "fio",
  "quota",
  "xfsdump",
  "sqlite3",
  "keyutils",
  "duperemove",
];

/** Copies and builds it unless that was done before; `say` tells what is missing. Throws where it cannot be built. */
export async function build({ source, build }: Options, say: (line: string) => void): Promise<void> {
  const missing = await missingOf(needed);
  if (missing.length > 0) throw new Error(`xfstests cannot be built without: apt-get install ${missing.join(" ")}`);
  const unmet = await missingOf(wanted);
  if (unmet.length > 0) say(`tests that want them are not run: ${unmet.join(", ")}`);
  const built = join(build, ".stillframe-built");
  if (existsSync(built) && (await readFile(built, "utf8")) === source) return;
  if (existsSync(build) && !existsSync(join(build, "check"))) throw new Error(`${build} holds something else`);
  say(`building ${source} in ${build}`);
  await mkdir(build, { recursive: true });
  await mustRun("cp", ["--archive", `${source}/.`, build], { timeoutMs: BUILD_TIME_MS });
  await mustRun("make", ["-C", build], { timeoutMs: BUILD_TIME_MS });
  await writeFile(built, source);
}

async function missingOf(packages: string[]): Promise<string[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own notation
  const format = "${Package} ${db:Status-Status}\\n";
  const { stdout } = await runProgram("dpkg-query", ["--show", `--showformat=${format}`, ...packages]);
  const installed = new Set(stdout.split("\n").filter((line) => line.endsWith(" installed")));
  return packages.filter((name) => !installed.has(`${name} installed`));
}

/** The tests that are asked for, in order. Throws where one is not there. */
export async function testsOf({ build, group, tests, from }: Options): Promise<string[]> {
  const listed = testsInGroup(await readFile(join(build, "tests/generic/group.list"), "utf8"), group);
  if (tests === null && listed.length === 0) throw new Error(`no generic test is in the group ${group}`);
  const chosen = tests ?? listed;
  const absent = chosen.filter((name) => !existsSync(join(build, "tests", name)));
  if (absent.length > 0) throw new Error(`this checkout has no ${absent.join(", ")}`);
  return from === null ? chosen : chosen.filter((name) => numberOf(name) >= numberOf(from));
}

const numberOf = (test: string): number => Number(test.split("/")[1]);

/** Of a `group.list`: a line for each test, its number and the groups that it is in. */
export function testsInGroup(list: string, group: string): string[] {
  const lines = list.split("\n").map((line) => line.replace(/#.*/, "").trim().split(/\s+/));
  return lines.filter(([name, ...groups]) => name && groups.includes(group)).map(([name]) => `generic/${name}`);
}
