/**
 * What a job's Advanced Open File panel comes to: the job's own where it has one, else the settings'. A run gets what is
 * effective when it starts; what changes later changes later runs.
 */
import type { JobOpenFile, OpenFile } from "../contracts/job";
import type { Settings } from "../contracts/settings";
import { formatBytes } from "../text/bytes";

export type Inherited = Pick<Settings, "oneAtATime" | "openFile">;

const effective = <T>(own: T | "inherit", inherited: T): T => (own === "inherit" ? inherited : own);

/**
 * An initial size that is more than the maximum, as one of them is inherited and has changed since the job was saved, is
 * held to the maximum: that is the promise of how much room a snapshot takes.
 */
export function effectiveOpenFile(own: JobOpenFile, { oneAtATime, openFile: inherited }: Inherited): OpenFile {
  const maxBytes = effective(own.cache.maxBytes, inherited.cache.maxBytes);
  const initialBytes = effective(own.cache.initialBytes, inherited.cache.initialBytes);
  return {
    enabled: own.enabled,
    technology: own.technology,
    oneAtATime: own.oneAtATime === "inherit" ? (oneAtATime ? "on" : "off") : own.oneAtATime,
    quiet: {
      minimumMs: effective(own.quiet.minimumMs, inherited.quiet.minimumMs),
      timeoutMs: effective(own.quiet.timeoutMs, inherited.quiet.timeoutMs),
      atTimeout: effective(own.quiet.atTimeout, inherited.quiet.atTimeout),
      ignorePaths: effective(own.quiet.ignorePaths, inherited.quiet.ignorePaths),
    },
    cache: {
      location: own.cache.location,
      initialBytes: initialBytes === null || maxBytes === null ? initialBytes : Math.min(initialBytes, maxBytes),
      maxBytes,
      whenFull: effective(own.cache.whenFull, inherited.cache.whenFull),
      holdMs: effective(own.cache.holdMs, inherited.cache.holdMs),
      skipFreeBlocks: effective(own.cache.skipFreeBlocks, inherited.cache.skipFreeBlocks),
    },
    noSnapshot: effective(own.noSnapshot, inherited.noSnapshot),
  };
}

export type SizeProblem = { field: "openFile.cache.initialBytes" | "openFile.cache.maxBytes"; message: string };

/** A size of the job's own that does not go with the one that it inherits. Both its own: its schema has refused them. */
export function sizeProblem(
  { cache: own }: JobOpenFile,
  { openFile: { cache: inherited } }: Inherited,
): SizeProblem | null {
  if (typeof own.initialBytes === "number" && own.maxBytes === "inherit") {
    if (inherited.maxBytes === null || own.initialBytes <= inherited.maxBytes) return null;
    const message = `must not be more than the maximum size that the job inherits, ${formatBytes(inherited.maxBytes)}`;
    return { field: "openFile.cache.initialBytes", message };
  }
  if (typeof own.maxBytes === "number" && own.initialBytes === "inherit") {
    if (inherited.initialBytes === null || inherited.initialBytes <= own.maxBytes) return null;
    const message = `must not be less than the initial size that the job inherits, ${formatBytes(inherited.initialBytes)}`;
    return { field: "openFile.cache.maxBytes", message };
  }
  return null;
}
