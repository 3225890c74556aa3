/** What a run's backup holds, and getting it back. One run may have made several backups, one for each volume. */
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { z } from "zod";
import type { HostInput, HostOutput, RestoreEntry } from "@/server/core/contracts/host-methods";
import { isWithin, normalPath } from "@/server/core/planning/selection";
import { codedFault, errnoName, FaultError } from "../fault";
import type { Host } from "../host";
import type { Places } from "../places";
import type { ProgramResult } from "../programs/run-program";
import { UndoStack } from "../snapshots/undo";
import { runLongProgram } from "./long-program";
import { commonArguments, keepPassword, newSecretPath, resticFailed, withRestic } from "./restic";
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
/** What of the chosen paths one backup holds. */
interface Wanted {
  backup: string;
  paths: string[];
  files: number;
  bytes: number;
}
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
  host: Host,
  input: HostInput<"restore.start">,
): Promise<HostOutput<"restore.start">> {
  await refuseUnlessEmpty(input.target);
  const paths = input.paths.map(normalPath);
  const plan = await withRestic(host.places, input, async (call) => {
    const wanted: Wanted[] = [];
    for (const backup of await backupsOf(call, input.runId)) {
      const found = await wantedIn(call, backup, paths);
      if (found.paths.length > 0) wanted.push(found);
    }
    return wanted;
  });
  if (plan.length === 0) {
    throw new FaultError("notFound", `the backup does not hold ${paths.join(", ")}`, { field: "paths" });
  }
  await restorePlan(host, input, plan);
  return {
    restoredFiles: plan.reduce((sum, w) => sum + w.files, 0),
    restoredBytes: plan.reduce((sum, w) => sum + w.bytes, 0),
  };
}

/** Journaled: a restic that a killed worker leaves restoring is ended, and its lock removed. */
async function restorePlan(host: Host, input: HostInput<"restore.start">, plan: Wanted[]): Promise<void> {
  const { repository, password, target } = input;
  const undo = new UndoStack(host.places, `restore-${randomUUID()}`, host.undoer);
  const passwordFile = newSecretPath(host.places);
  try {
    await undo.push({ kind: "file", path: passwordFile });
    await keepPassword(host.places, passwordFile, password);
    await undo.push({ kind: "resticLocks", repository, passwordFile });
    for (const { backup, paths } of plan) {
      const includes = paths.flatMap((path) => ["--include", literalPattern(path)]);
      const common = commonArguments(host.places, { repository, passwordFile });
      const args = [...common, "restore", backup, "--target", target, ...includes];
      const restoring = {
        program: "restic",
        args,
        namespace: null,
        env: { LC_ALL: "C.UTF-8" },
        what: "restic restore",
      };
      const done = await runLongProgram(undo, restoring, new AbortController().signal);
      if (done.exitCode !== 0) {
        const last = done.lines.at(-1) ?? "";
        const evidence = { exitCode: done.exitCode, signal: done.signal, lines: done.lines };
        throw codedFault("failed", "SF-103", `restic restore ended with ${done.exitCode}: ${last}`, evidence);
      }
    }
  } finally {
    await undo.unwind();
  }
}

async function backupsOf(call: Call, runId: string): Promise<z.output<typeof backupSchema>[]> {
  const listed = await call("snapshots", "--no-lock", "--json", "--tag", runTag(runId));
  if (/wrong password|no key found/i.test(listed.stderr)) {
    throw new FaultError("denied", "the repository does not open with this password", { field: "password" });
  }
  if (listed.exitCode !== 0) throw resticFailed(listed);
  const backups = z.array(backupSchema).parse(JSON.parse(listed.stdout) ?? []);
  if (backups.length === 0)
    throw new FaultError("notFound", "the repository has no backup of this run: it made none, or it was removed since");
  return backups;
}

/** Nodes below a folder; `recursive` all of them, else at least the direct ones. */
async function listNodes(call: Call, id: string, folder: string, recursive = false): Promise<Node[]> {
  const args = ["ls", "--no-lock", "--json", ...(recursive ? ["--recursive"] : []), id, folder];
  const listed = await call(...args);
  if (listed.exitCode !== 0) throw resticFailed(listed);
  return listed.stdout.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    const node = nodeSchema.safeParse(JSON.parse(line));
    return node.success ? [node.data] : [];
  });
}

async function wantedIn(call: Call, backup: { id: string; paths: string[] }, paths: string[]): Promise<Wanted> {
  const found: Wanted = { backup: backup.id, paths: [], files: 0, bytes: 0 };
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
