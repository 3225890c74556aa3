/** Where the worker keeps things. Every program of Stillframe honours the same three variables. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const DEFAULT_HOME = "/var/lib/stillframe";

export interface Places {
  /** `STILLFRAME_HOME`: what must survive a reboot. */
  home: string;
  /** `STILLFRAME_RUN`: sockets, mounts and secrets of the moment. */
  run: string;
  /** `STILLFRAME_NATIVE`: directory of the compiled programs. */
  native: string;
  socket: string;
  volumes: string;
  snapshots: string;
  undo: string;
  runs: string;
  /** Hooks that requests of the command line owe. */
  owed: string;
  writers: string;
  outbox: string;
  namespaces: string;
  secrets: string;
  practice: string;
  /** Used when the administrator has not named any. */
  defaultCache: string;
  allowedCaches: string;
  /** What engines know of changed blocks, from one attachment to the next. */
  changes: string;
  hostKey: string;
}

/** The places by the process's environment. */
export function placesFromEnvironment(env: NodeJS.ProcessEnv = process.env): Places {
  const root = process.getuid?.() === 0;
  const home = resolve(env.STILLFRAME_HOME || (root ? DEFAULT_HOME : join(homedir(), ".local/share/stillframe")));
  const run = resolve(env.STILLFRAME_RUN || "/run/stillframe");
  const worker = join(home, "worker");
  return {
    home,
    run,
    native: resolve(env.STILLFRAME_NATIVE || join(repositoryRoot(), "native/target/release")),
    socket: join(run, "worker.sock"),
    volumes: join(worker, "volumes"),
    snapshots: join(worker, "snapshots"),
    undo: join(worker, "undo"),
    runs: join(worker, "runs"),
    owed: join(worker, "owed"),
    writers: join(worker, "writers"),
    outbox: join(worker, "outbox"),
    namespaces: join(run, "ns"),
    secrets: join(run, "secrets"),
    practice: join(home, "practice"),
    defaultCache: join(home, "cache"),
    allowedCaches: join(worker, "cache-locations.json"),
    changes: join(worker, "changes"),
    hostKey: resolve(env.STILLFRAME_HOST_KEY || join(worker, "worker.key")),
  };
}

/** The nearest directory above this file (source or bundle) that holds `package.json`. */
function repositoryRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "package.json")) && directory !== "/") directory = dirname(directory);
  return directory;
}

/** A volume's id from its name: safe in file names, the same at every start. */
export function volumeId(name: string): string {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 24);
  return `${readable || "volume"}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}

/** Private directory of a volume's engine. */
export function engineDirectory(places: Places, id: string): string {
  return join(places.run, "engine", id);
}

/** Where a practice volume is mounted. */
export function practiceMount(places: Places, name: string): string {
  return places.home === DEFAULT_HOME ? join("/srv/stillframe", name) : join(places.home, "mnt", name);
}
