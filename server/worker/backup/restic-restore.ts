/** What a run's backup holds, and getting it back. One run may have made several backups, one for each volume. */
import { readdir } from "node:fs/promises";
import { z } from "zod";
import type { HostInput, HostOutput, RestoreEntry } from "@/server/core/contracts/host-methods";
import { isWithin, normalPath } from "@/server/core/planning/selection";
import { errnoName, FaultError } from "../fault";
import type { Places } from "../places";
import type { ProgramResult } from "../programs/run-program";
import { resticFailed, withRestic } from "./restic";
import { runTag } from "./restic-backup";

const backupSchema = z.object({ id: z.string(), paths: z.array(z.string()) });
const nodeSchema = z.object({
  struct_type: z.literal("node"),
  path: z.string(),
  type: z.string(),
  size: z.number().default(0),
  mtime: z.string().optional(),
});
type Node = z.output<typeof nodeSchema>;
type Call = (...args: string[]) => Promise<ProgramResult>;

/** `restore.list`: entries directly below a path. */
export function listBackup(places: Places, input: HostInput<"restore.list">): Promise<RestoreEntry[]> {
  const folder = normalPath(input.path);
  return withRestic(places, input, async (call) => {
    const entries = new Map<string, RestoreEntry>();
    for (const backup of await backupsOf(call, input.runId)) {
      // Restic lists a folder only when it is in the backup; above the saved paths there is nothing to read.
      const above = backup.paths.some((p) => p !== folder && isWithin(p, folder));
      if (!above && !backup.paths.some((p) => isWithin(folder, p))) continue;
      for (const node of await listNodes(call, backup.id, folder)) {
        if (isDirectChild(node.path, folder)) entries.set(node.path, toEntry(node));
      }
    }
    return [...entries.values()].sort((a, b) => a.path.localeCompare(b.path));
  });
}

/** `restore.start`: the chosen paths below `target`, which must be absent or empty. */
export async function restoreFiles(
  places: Places,
  input: HostInput<"restore.start">,
): Promise<HostOutput<"restore.start">> {
  await refuseUnlessEmpty(input.target);
  const paths = input.paths.map(normalPath);
  return withRestic(places, input, async (call) => {
    let restoredFiles = 0;
    let restoredBytes = 0;
    const missing = new Set(paths);
    for (const backup of await backupsOf(call, input.runId)) {
      const wanted = await wantedIn(call, backup, paths);
      if (wanted.paths.length === 0) continue;
      for (const path of wanted.paths) missing.delete(path);
      const includes = wanted.paths.flatMap((path) => ["--include", literalPattern(path)]);
      const done = await call("restore", backup.id, "--target", input.target, ...includes);
      if (done.exitCode !== 0) throw resticFailed(done);
      restoredFiles += wanted.files;
      restoredBytes += wanted.bytes;
    }
    if (missing.size > 0 && missing.size === paths.length) {
      throw new FaultError("notFound", `the backup does not hold ${[...missing].join(", ")}`, { field: "paths" });
    }
    return { restoredFiles, restoredBytes };
  });
}

async function backupsOf(call: Call, runId: string): Promise<z.output<typeof backupSchema>[]> {
  const listed = await call("snapshots", "--json", "--tag", runTag(runId));
  if (/wrong password|no key found/i.test(listed.stderr)) {
    throw new FaultError("denied", "the repository does not open with this password", { field: "password" });
  }
  if (listed.exitCode !== 0) throw resticFailed(listed);
  const backups = z.array(backupSchema).parse(JSON.parse(listed.stdout) ?? []);
  if (backups.length === 0) throw new FaultError("notFound", "this run made no backup in the repository");
  return backups;
}

/** Nodes below a folder; `recursive` all of them, else at least the direct ones. */
async function listNodes(call: Call, id: string, folder: string, recursive = false): Promise<Node[]> {
  const args = ["ls", "--json", ...(recursive ? ["--recursive"] : []), id, folder];
  const listed = await call(...args);
  if (listed.exitCode !== 0) throw resticFailed(listed);
  return listed.stdout.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    const node = nodeSchema.safeParse(JSON.parse(line));
    return node.success ? [node.data] : [];
  });
}

async function wantedIn(
  call: Call,
  backup: { id: string; paths: string[] },
  paths: string[],
): Promise<{ paths: string[]; files: number; bytes: number }> {
  const found = { paths: [] as string[], files: 0, bytes: 0 };
  for (const path of paths) {
    const touches = backup.paths.some((p) => isWithin(path, p) || isWithin(p, path));
    if (!touches) continue;
    const nodes = (await listNodes(call, backup.id, parentOf(path), true)).filter((n) => isWithin(n.path, path));
    if (nodes.length === 0) continue;
    const files = nodes.filter((n) => n.type === "file");
    found.paths.push(path);
    found.files += files.length;
    found.bytes += files.reduce((sum, n) => sum + n.size, 0);
  }
  return found;
}

/** restic reads patterns: a name with `*`, `?` or `[` must mean itself. */
function literalPattern(path: string): string {
  return path.replace(/[\\*?[\]]/g, "\\$&");
}

function isDirectChild(path: string, folder: string): boolean {
  return path !== folder && parentOf(path) === folder;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function toEntry(node: Node): RestoreEntry {
  const type = node.type === "file" || node.type === "dir" || node.type === "symlink" ? node.type : "other";
  return {
    path: node.path,
    type,
    sizeBytes: node.size,
    modifiedAt: node.mtime === undefined ? null : new Date(node.mtime).toISOString(),
  };
}

async function refuseUnlessEmpty(target: string): Promise<void> {
  const field = "target";
  try {
    if ((await readdir(target)).length > 0) throw new FaultError("conflict", `${target} is not empty`, { field });
  } catch (error) {
    if (errnoName(error) === "ENOTDIR") throw new FaultError("invalid", `${target} is not a directory`, { field });
    if (errnoName(error) !== "ENOENT") throw error;
  }
}
