/**
 * What is kept of a failure, by code: collected by the worker at the moment it happened, read by the
 * checks of `table.ts` and shown on the failure page. A value that could not be had is null or an empty
 * list, never invented. Sizes are bytes, durations milliseconds.
 */
import { z } from "zod";
import { hookMomentSchema } from "../contracts/hooks";
import { modeSchema } from "../contracts/job";
import type { ErrorCode } from "./codes";

const bytes = z.number().nonnegative();
const text = z.string().nullable().default(null);
/** The kernel's error number, e.g. 28 for ENOSPC. */
const errno = z.number().int().nullable().default(null);
const lines = z.array(z.string()).default([]);

/** A place where the broker could have kept a cache file; `turnedDown`: why it did not. */
const locationSchema = z.object({
  path: z.string(),
  freeBytes: bytes,
  reservedBytes: bytes,
  neededBytes: bytes,
  turnedDown: z.string().nullable(),
});

export const cacheFullEvidence = z.object({
  /** `noLocation`: before the snapshot; the others: while it was open. */
  cause: z.enum(["noLocation", "maximumReached", "noSpace", "io"]),
  volume: text,
  mode: modeSchema.nullable().default(null),
  maxBytes: bytes.nullable().default(null),
  /** What the job had chosen; null in what workers told that did not say it. */
  whenFull: z.enum(["release", "hold"]).nullable().default(null),
  errno,
  locations: z.array(locationSchema).default([]),
  /** How the cache filled, oldest first. */
  curve: z.array(z.object({ at: z.string(), usedBytes: bytes })).default([]),
  needAllAtOnceBytes: bytes.nullable().default(null),
  /** Need of the largest volume alone. */
  needOneAtATimeBytes: bytes.nullable().default(null),
  /** Cache files that no engine holds. */
  orphanBytes: bytes.nullable().default(null),
});

export const noQuietEvidence = z.object({
  mode: modeSchema.nullable().default(null),
  /** How many volumes had to rest together; null in what workers told that did not say it. */
  volumes: z.number().int().positive().nullable().default(null),
  longestGapMs: z.number().nonnegative().nullable().default(null),
  /** A length that several gaps had; null in what workers told that did not know it, and where no gap was seen. */
  recurringGapMs: z.number().nonnegative().nullable().default(null),
  minimumMs: z.number().nonnegative(),
  timeoutMs: z.number().nonnegative(),
  /** `upToMs` is null for the last step, which has no upper end. */
  gapHistogram: z.array(z.object({ upToMs: z.number().nullable(), count: z.number().int() })).default([]),
  writesPerSecond: z.number().nonnegative().nullable().default(null),
  writers: z
    .array(
      z.object({
        pid: z.number().int(),
        command: z.string(),
        /** Changes of files that were seen, at least so many; null: it only has files open for writing. */
        writes: z.number().int().nonnegative().nullable().default(null),
        /** Most often changed first. */
        paths: z.array(z.string()),
      }),
    )
    .default([]),
});

export const unreachableEvidence = z.object({
  subject: z.enum(["worker", "engine"]),
  volume: text,
  lastContactAt: text,
  /** As the kernel tells it, e.g. `running`, `zombie`; `absent` when there is no such process. */
  processState: text,
  exitStatus: z.number().int().nullable().default(null),
  logLines: lines,
  versions: z.object({ console: text, worker: text, engine: text }).prefault({}),
  socket: z.object({ path: z.string(), mode: text, exists: z.boolean() }).nullable().default(null),
});

export const missingPathEvidence = z.object({
  path: z.string(),
  errno,
  /** Whether the path can be found on the live volume. */
  existsLive: z.boolean().nullable().default(null),
  snapshotReleased: z.boolean().nullable().default(null),
});

export const deadlineEvidence = z.object({
  mounts: z
    .array(z.object({ name: z.string(), freezeMs: z.number().nullable(), thawMs: z.number().nullable() }))
    .default([]),
  /** The mount that did not freeze or thaw in time. */
  blocked: text,
  deadlineMs: z.number().nonnegative(),
});

export const damagedCacheEvidence = z.object({
  volume: text,
  slot: z.number().int().nullable().default(null),
  errno,
  location: text,
  kernelLines: lines,
});

/** Neither exit code nor signal: it was not started, and the last line says why. */
export const backupFailedEvidence = z.object({
  exitCode: z.number().int().nullable().default(null),
  signal: text,
  lines,
});

export const hookFailedEvidence = z.object({
  /** Its label (`../hooks/hook-words.ts`); its command may hold secrets. */
  hook: text,
  at: hookMomentSchema.nullable().default(null),
  /**
   * `exit`, `signal`: it ended so. `timeout`: it did not end. Of one that holds: `notReady`: it did not say READY in its
   * time; `unready`: it ended without; `early`: it ended before the instant; `late`: it failed after it, when it was told
   * to let go. `notStarted`: the system could start nothing.
   */
  cause: z
    .enum(["exit", "signal", "timeout", "notReady", "unready", "early", "late", "notStarted"])
    .nullable()
    .default(null),
  exitCode: z.number().int().nullable().default(null),
  signal: text,
  /** The last lines of its output. */
  lines,
  tookMs: z.number().nonnegative().nullable().default(null),
  timeoutMs: z.number().nonnegative().nullable().default(null),
  /** Whose snapshot it ran for. */
  volumes: lines,
});

export const noProviderEvidence = z.object({
  volume: text,
  providers: z.array(z.object({ name: z.string(), reason: z.string() })).default([]),
});

/** `error`: what the worker met that it had not foreseen; null: it was restarted. */
export const interruptedEvidence = z.object({ lastPhase: text, cleaned: lines, error: text });

export const missedStartEvidence = z.object({
  /** `busy`: a run of this job, or one at a volume of it, was on. */
  cause: z.enum(["consoleDown", "busy"]),
  /** What was in its way, as a sentence. */
  holder: text,
  /** The first and the last of the times that passed, and how many there were. */
  firstAt: z.string(),
  dueAt: z.string(),
  times: z.number().int().positive(),
  graceMinutes: z.number().int().positive(),
});

/** Which shape belongs to which code. */
export const evidenceByCode = {
  a00084af: missingPathEvidence,
  a000851c: cacheFullEvidence,
  "OFO-QUIET": noQuietEvidence,
  "OFO-COMM": unreachableEvidence,
  "SF-101": deadlineEvidence,
  "SF-102": damagedCacheEvidence,
  "SF-103": backupFailedEvidence,
  "SF-104": hookFailedEvidence,
  "SF-105": noProviderEvidence,
  "SF-106": interruptedEvidence,
  "SF-107": missedStartEvidence,
} as const satisfies Record<ErrorCode, z.ZodType>;

/** Evidence as the checks read it, defaults filled in. */
export type EvidenceOf<C extends ErrorCode> = z.output<(typeof evidenceByCode)[C]>;
/** Evidence as the worker writes it. */
export type EvidenceFor<C extends ErrorCode> = z.input<(typeof evidenceByCode)[C]>;
