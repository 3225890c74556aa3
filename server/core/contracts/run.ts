/** What happens in a run, as events, and the picture of a run that they add up to. */
import { z } from "zod";
import { errorCodeSchema } from "./error-code";
import { modeSchema } from "./job";
import { instant } from "./time";
import { providerSchema } from "./volume";

export const phaseSchema = z.enum([
  "reserving",
  "preparing",
  "waitingForQuiet",
  "holding",
  "freezing",
  "snapshotted",
  "backingUp",
  "releasing",
  "done",
]);
export type Phase = z.infer<typeof phaseSchema>;

export const outcomeSchema = z.enum(["succeeded", "warnings", "failed", "cancelled", "interrupted"]);
export type Outcome = z.infer<typeof outcomeSchema>;

/** Evidence differs by code; each value is JSON that the failure page knows how to show (`../errors/evidence.ts`). */
export const evidenceSchema = z.record(z.string(), z.json());
export type Evidence = z.infer<typeof evidenceSchema>;

const at = instant;
const group = z.number().int().nonnegative();
const bytes = z.number().int().nonnegative();

export const volumeResultSchema = z.object({
  name: z.string(),
  provider: providerSchema,
  takenAt: instant.nullable(),
  /** Whether the quiet window was had that its freeze waited for; absent where none was waited for. */
  quiet: z.enum(["found", "missed"]).optional(),
  state: z.enum(["pending", "succeeded", "warnings", "failed", "cancelled"]),
  code: errorCodeSchema.nullable(),
  cacheUsedBytes: bytes,
  bytesRead: bytes,
  preservedBlocks: bytes,
  skippedFreeBlocks: bytes,
  cacheLocation: z.string().nullable(),
  cacheMaxBytes: bytes,
});
export type VolumeResult = z.infer<typeof volumeResultSchema>;

export const runEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("started"), at, mode: modeSchema, groups: z.array(z.array(z.string())) }),
  z.object({
    type: z.literal("phase"),
    at,
    group,
    phase: phaseSchema,
    /** Of `waitingForQuiet`: the gap that is wanted, and how long it is waited for. */
    quiet: z.object({ minimumMs: z.number().nonnegative(), timeoutMs: z.number().nonnegative() }).optional(),
  }),
  z.object({
    type: z.literal("cacheReserved"),
    at,
    group,
    volume: z.string(),
    location: z.string(),
    reservedBytes: bytes,
    maxBytes: bytes,
  }),
  /** Longest gap so far while waiting; sent when it grows, at most once a second. */
  z.object({ type: z.literal("quietGap"), at, group, longestMs: z.number().nonnegative() }),
  /** The window [from, at] without a write on any volume of the group; `timedOut` when the snapshot was taken without one. */
  z.object({
    type: z.literal("quietEnded"),
    at,
    group,
    from: instant.nullable(),
    waitedMs: z.number().nonnegative(),
    timedOut: z.boolean(),
  }),
  z.object({
    type: z.literal("frozen"),
    at,
    group,
    frozenMs: z.number().nonnegative(),
    /** Between the first and the last volume's instant. */
    spreadMs: z.number().nonnegative(),
    volumes: z.array(z.object({ name: z.string(), takenAt: instant })),
  }),
  z.object({
    type: z.literal("progress"),
    at,
    group,
    bytesDone: bytes,
    bytesTotal: bytes,
    filesDone: bytes,
    filesTotal: bytes,
    currentFile: z.string().nullable(),
  }),
  z.object({
    type: z.literal("snapshotReleased"),
    at,
    group,
    volume: z.string(),
    cause: z.enum(["done", "overflow", "damaged", "cancelled"]),
  }),
  z.object({
    type: z.literal("volumeEnded"),
    at,
    group,
    result: volumeResultSchema,
    backupSnapshot: z.string().nullable(),
  }),
  z.object({
    type: z.literal("log"),
    at,
    level: z.enum(["debug", "info", "warn", "error"]),
    text: z.string(),
    code: errorCodeSchema.nullable(),
  }),
  z.object({
    type: z.literal("failure"),
    at,
    code: errorCodeSchema,
    volume: z.string().nullable(),
    message: z.string(),
    evidence: evidenceSchema,
  }),
  z.object({ type: z.literal("ended"), at, outcome: outcomeSchema, code: errorCodeSchema.nullable() }),
]);
export type RunEvent = z.infer<typeof runEventSchema>;

/** A run as it stands after some events (see `../runs/reduce.ts`). */
export const runSchema = z.object({
  id: z.string(),
  /** Counts up within a console: "Run 184". */
  number: z.number().int().positive(),
  job: z.object({ id: z.string(), name: z.string() }),
  hostId: z.string(),
  /** `schedule`, or who it was; absent in runs of older versions. */
  startedBy: z.string().optional(),
  /** The time of the schedule that the run stands for. */
  dueAt: instant.optional(),
  mode: modeSchema,
  /** Present phase of the present group, `queued` before the first, or the outcome. */
  state: z.union([z.literal("queued"), phaseSchema, outcomeSchema]),
  code: errorCodeSchema.nullable(),
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  volumes: z.array(volumeResultSchema),
});
export type Run = z.infer<typeof runSchema>;
