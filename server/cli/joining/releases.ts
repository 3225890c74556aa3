/** Where an installed program lies: each version in a release of its own, `current` links to the one in use. */
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../failure";
import { printNote } from "../output/print";

/** Where this program lies: the directory with its `dist/`. Throws from the sources, which no service can run. */
export function programDirectory(): string {
  if (existsSync(join(import.meta.dirname, "worker.js"))) return dirname(import.meta.dirname);
  throw new Failure("this is not the built program", 1, null, "Run dist/cli.js, which `npm run build` makes.");
}

/**
 * The directory of this program as it will be found after later joins too: a release that was fetched becomes `current`
 * beside `releases/`. A checkout stays where it is.
 */
export function settledRoot(): string {
  const root = programDirectory();
  if (basename(dirname(root)) !== "releases") return root;
  const prefix = dirname(dirname(root));
  const link = join(prefix, "current");
  const next = join(prefix, `.current-${process.pid}`);
  rmSync(next, { force: true });
  symlinkSync(join("releases", basename(root)), next);
  renameSync(next, link);
  return link;
}

/** Removes the releases beside the one in use that no process runs from any more. `root`: as `settledRoot` gave it. */
export function removeReplaced(root: string): void {
  const used = realpathSync(root);
  if (basename(dirname(used)) !== "releases") return;
  const running = programsThatRun();
  for (const name of readdirSync(dirname(used))) {
    const release = join(dirname(used), name);
    if (release === used) continue;
    // An engine serves on with the program that it was started with, until its volume is upgraded.
    if (running.some((text) => text.includes(release))) printNote(`stillframe: ${release} is in use, and stays.`);
    else rmSync(release, { recursive: true, force: true });
  }
}

/** Of each process its program's path and its command line. */
function programsThatRun(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      return [readlinkSync(`/proc/${pid}/exe`), readFileSync(`/proc/${pid}/cmdline`, "utf8")];
    } catch {
      return []; // a thread of the kernel, or it has ended
    }
  });
}
