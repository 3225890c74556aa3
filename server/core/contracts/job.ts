/** A job: what to back up, how to freeze it, where to put it. */
import { z } from "zod";
import { hookLabels } from "../hooks/hook-words";
import { hooksSchema } from "./hooks";
import { retentionSchema } from "./retention";
import { scheduleSchema } from "./schedule";
import { instant } from "./time";

const KIB = 1024;
export const MINIMUM_CACHE_BYTES = 1024 * KIB;

/** Absolute, without `..` or NUL. Spaces and any Unicode letters are fine. */
export const absolutePath = z
  .string()
  .min(1, "must not be empty")
  .max(4096, "must be at most 4096 characters")
  .refine((p) => p.startsWith("/"), { error: "must be an absolute path, starting with /" })
  .refine((p) => !p.includes("\0"), { error: "must not contain a NUL character" })
  .refine((p) => !p.split("/").includes(".."), { error: "must not contain .." });

/** A name that a person gives: any letters, no control characters, no slash. */
export const displayName = z
  .string()
  .trim()
  .min(1, "must not be empty")
  .max(100, "must be at most 100 characters")
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  .refine((n) => !/[\u0000-\u001f\u007f/]/.test(n), { error: "must not contain a slash or control characters" });

export const oneAtATimeSchema = z.enum(["inherit", "on", "off"]);
export const modeSchema = z.enum(["allAtOnce", "oneAtATime"]);
export type Mode = z.infer<typeof modeSchema>;

const cacheSize = z.number().int().min(MINIMUM_CACHE_BYTES, "must be at least 1 MiB").nullable();

/**
 * Files, and directories with all that is below them, as the host sees them: writes to these do not spoil the quiet
 * window. What need not exist yet may be named; what lies on none of the volumes is without effect. They are still in
 * the snapshot and in the backup.
 */
export const ignorePathsSchema = z.array(absolutePath).max(100, "must be at most 100 paths");

/** What the settings give for every job, and a job may have its own of. */
const field = {
  quiet: {
    /** Shortest gap without a write that counts as quiet. 0: do not wait. */
    minimumMs: z.number().int().min(0, "must not be negative").max(60_000, "must be at most 60 s"),
    timeoutMs: z.number().int().min(0, "must not be negative").max(3_600_000, "must be at most 1 h"),
    atTimeout: z.enum(["snapshot", "fail"]),
    ignorePaths: ignorePathsSchema,
  },
  cache: {
    /** Null: the broker chooses. */
    initialBytes: cacheSize,
    maxBytes: cacheSize,
    whenFull: z.enum(["release", "hold"]),
    /** Of `hold` alone. */
    holdMs: z.number().int().min(0, "must not be negative").max(60_000, "must be at most 60 s"),
    /** What is free at the instant takes no cache; the image shows it as zeroes. */
    skipFreeBlocks: z.boolean(),
  },
  /** If no snapshot can be had: fail the volume, or read it live with a warning. */
  noSnapshot: z.enum(["fail", "readLive"]),
};

/** Of one job, whatever the settings are. */
const ownAlone = {
  enabled: z.boolean().default(true),
  technology: z.enum(["automatic", "engine"]).default("automatic"),
  oneAtATime: oneAtATimeSchema.default("inherit"),
};
/** null: the broker chooses. */
const location = absolutePath.nullable().default(null);

type Sizes = { initialBytes: number | null | "inherit"; maxBytes: number | null | "inherit" };
/** Sizes of which one is inherited are compared when a job is saved (`../settings/effective-open-file.ts`). */
const sizesInOrder = ({ initialBytes, maxBytes }: Sizes) =>
  typeof initialBytes !== "number" || typeof maxBytes !== "number" || initialBytes <= maxBytes;
const outOfOrder = { path: ["initialBytes"], error: "must not be more than the maximum size" };

const quietSchema = z.object({
  minimumMs: field.quiet.minimumMs.default(250),
  timeoutMs: field.quiet.timeoutMs.default(60_000),
  atTimeout: field.quiet.atTimeout.default("snapshot"),
  ignorePaths: field.quiet.ignorePaths.default([]),
});
const cacheSchema = z.object({
  initialBytes: field.cache.initialBytes.default(null),
  maxBytes: field.cache.maxBytes.default(null),
  whenFull: field.cache.whenFull.default("release"),
  holdMs: field.cache.holdMs.default(5_000),
  skipFreeBlocks: field.cache.skipFreeBlocks.default(true),
});
const noSnapshotSchema = field.noSnapshot.default("fail");

/** The Advanced Open File panel as a run, or somebody who asks for a snapshot, has it: each field with its value. */
export const openFileSchema = z.object({
  ...ownAlone,
  quiet: quietSchema.prefault({}),
  cache: cacheSchema.extend({ location }).refine(sizesInOrder, outOfOrder).prefault({}),
  noSnapshot: noSnapshotSchema,
});
export type OpenFile = z.infer<typeof openFileSchema>;

/** The panel's defaults for every job, in the settings. */
export const openFileDefaultsSchema = z.object({
  quiet: quietSchema.prefault({}),
  cache: cacheSchema.refine(sizesInOrder, outOfOrder).prefault({}),
  noSnapshot: noSnapshotSchema,
});
export type OpenFileDefaults = z.infer<typeof openFileDefaultsSchema>;

/** Some of them, to be changed. */
export const openFileDefaultsChangeSchema = z
  .object({
    quiet: z.object(field.quiet).partial().strict(),
    cache: z.object(field.cache).partial().strict(),
    noSnapshot: field.noSnapshot,
  })
  .partial()
  .strict();
export type OpenFileDefaultsChange = z.infer<typeof openFileDefaultsChangeSchema>;

const inherit = z.literal("inherit");
/** Of the settings, also when they change, until the job has a value of its own. */
const inheritable = <T extends z.ZodType>(own: T, what: string) =>
  z
    .union([inherit, own], {
      error: ({ input }) => (typeof input === "number" ? `must be ${what}` : `must be ${what}, or “inherit”`),
    })
    .default("inherit");

/** The panel as a job has it. */
export const jobOpenFileSchema = z.object({
  ...ownAlone,
  quiet: z
    .object({
      minimumMs: inheritable(field.quiet.minimumMs, "a whole number"),
      timeoutMs: inheritable(field.quiet.timeoutMs, "a whole number"),
      atTimeout: z.enum(["inherit", ...field.quiet.atTimeout.options]).default("inherit"),
      ignorePaths: inheritable(field.quiet.ignorePaths, "a list of paths"),
    })
    .prefault({}),
  cache: z
    .object({
      location,
      initialBytes: inheritable(field.cache.initialBytes, "a size, null for the automatic one"),
      maxBytes: inheritable(field.cache.maxBytes, "a size, null for the automatic one"),
      whenFull: z.enum(["inherit", ...field.cache.whenFull.options]).default("inherit"),
      holdMs: inheritable(field.cache.holdMs, "a whole number"),
      skipFreeBlocks: inheritable(field.cache.skipFreeBlocks, "true, false"),
    })
    .refine(sizesInOrder, outOfOrder)
    .prefault({}),
  noSnapshot: z.enum(["inherit", ...field.noSnapshot.options]).default("inherit"),
});
export type JobOpenFile = z.infer<typeof jobOpenFileSchema>;

/** Where a backup goes, without its secret. */
export const destinationSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("restic"),
    repository: absolutePath,
    /** Absent: every backup stays. */
    retention: retentionSchema.optional(),
  }),
  /** Run with `/bin/sh -c`, the frozen images at the volumes' paths; STILLFRAME_PATHS holds them, one a line. */
  z.object({ kind: z.literal("command"), command: z.string().trim().min(1, "must not be empty").max(8192) }),
]);
export type Destination = z.infer<typeof destinationSchema>;

export const selectionSchema = z.object({
  /** Names of volumes on the job's host. */
  volumes: z.array(z.string().min(1)).min(1, "choose at least one volume"),
  /** Only these paths, each on one of the volumes; empty: the whole of each volume. */
  paths: z.array(absolutePath).default([]),
  /** restic exclude patterns. */
  excludes: z.array(z.string().min(1)).default([]),
});

/** A failure names a hook by its label: there is one of each. */
const jobHooksSchema = hooksSchema.superRefine((hooks, context) => {
  const labels = hookLabels(hooks);
  for (const [index, label] of labels.entries()) {
    if (labels.indexOf(label) === index) continue;
    context.addIssue({ code: "custom", path: [index, "name"], message: `another hook is called "${label}"` });
  }
});

const jobFields = {
  name: displayName,
  hostId: z.string().min(1),
  selection: selectionSchema,
  openFile: jobOpenFileSchema,
  /** Programs that run around the snapshot. */
  hooks: jobHooksSchema.default([]),
  /** Null: people and programs start it, nothing else does. */
  schedule: scheduleSchema.nullable().default(null),
};

export const jobSchema = z.object({
  id: z.string(),
  ...jobFields,
  destination: destinationSchema,
  hasPassword: z.boolean(),
  /** Not started until it is continued. */
  paused: z.boolean().default(false),
  /** By its schedule. Past: due, and waiting until it can be. */
  nextRunAt: instant.nullable().default(null),
});
export type Job = z.infer<typeof jobSchema>;

/** A job with what a run of it would have now: its own where it has one, else the settings'. */
export const effectiveJobSchema = jobSchema.extend({ effectiveMode: modeSchema, effectiveOpenFile: openFileSchema });
export type EffectiveJob = z.infer<typeof effectiveJobSchema>;

/** What `job create` and the editor send. `password` is write-only: absent keeps the one that is stored. */
export const jobInputSchema = z
  .object({
    ...jobFields,
    openFile: jobOpenFileSchema.prefault({}),
    destination: destinationSchema,
    password: z.string().min(1).max(1024).optional(),
  })
  .strict();
export type JobInput = z.infer<typeof jobInputSchema>;

/** All that a worker needs to carry one run; self-contained, so a run goes on without the console. */
export const runSpecSchema = z.object({
  runId: z.string(),
  jobId: z.string(),
  jobName: z.string(),
  mode: modeSchema,
  selection: selectionSchema,
  openFile: openFileSchema,
  destination: destinationSchema,
  hooks: hooksSchema.default([]),
  password: z.string().nullable(),
});
export type RunSpec = z.infer<typeof runSpecSchema>;
