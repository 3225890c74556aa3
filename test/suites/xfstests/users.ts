/** The users that some tests want, seen by this mount namespace alone: the host's list of users is not changed. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import type { Cleanup } from "@/test/fixtures/cleanup";

const names = ["fsgqa", "fsgqa2", "123456-fsgqa"];
const FIRST_ID = 61_801;

/** Needs a mount namespace of its own, as `npm run xfstests` has one. */
export async function addUsers(cleanup: Cleanup, directory: string): Promise<void> {
  const lines = {
    passwd: (name: string, id: number) => `${name}:*:${id}:${id}::/tmp:/bin/bash`,
    group: (name: string, id: number) => `${name}:*:${id}:`,
  };
  for (const [file, line] of Object.entries(lines)) {
    const held = (await readFile(`/etc/${file}`, "utf8")).trimEnd().split("\n");
    const known = new Set(held.map((one) => one.split(":")[0]));
    const added = names.flatMap((name, at) => (known.has(name) ? [] : [line(name, FIRST_ID + at)]));
    const copy = join(directory, file);
    await writeFile(copy, `${[...held, ...added].join("\n")}\n`, { mode: 0o644 });
    await mustRun("mount", ["--bind", copy, `/etc/${file}`]);
    cleanup.add(`the host's own /etc/${file}`, () => mustRun("umount", [`/etc/${file}`]));
  }
}
