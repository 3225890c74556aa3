/**
 * What a worker can be asked, by the console over the link and by the command line over the worker's
 * local socket. One table: method name, input and output.
 */
import { z } from "zod";
import { hookSchema, hooksSchema, hookTrialSchema } from "./hooks";
import { absolutePath, displayName, modeSchema, openFileSchema, runSpecSchema } from "./job";
import { nbdServeInput, nbdServiceSchema, nbdStopInput } from "./nbd";
import { cacheLocationSchema, doctorSchema, sampleSchema, snapshotSchema, volumeSchema } from "./volume";

const none = z.object({}).strict();
const done = z.object({});
const MIB = 1024 * 1024;

export const snapshotCreateInput = z
  .object({
    volumes: z.array(z.string().min(1)).min(1, "name at least one volume"),
    mode: modeSchema.default("allAtOnce"),
    openFile: openFileSchema.prefault({}),
    /** Around each snapshot. None at a run's end: whoever asks knows the end. */
    hooks: hooksSchema
      .refine((hooks) => hooks.every(({ at }) => at !== "postRun"), "there is no run whose end they could follow")
      .default([]),
  })
  .strict();

/** What hooks said and how they went. */
const said = z.array(z.string()).default([]);

export const snapshotGroupSchema = z.object({
  group: z.string(),
  mode: modeSchema,
  snapshots: z.array(snapshotSchema),
  said,
});

/** Restic repository with its password, for restores. */
const repository = z.object({ repository: absolutePath, password: z.string() });

export const restoreEntrySchema = z.object({
  path: z.string(),
  type: z.enum(["file", "dir", "symlink", "other"]),
  sizeBytes: z.number().int().nonnegative(),
  modifiedAt: z.string().nullable(),
});
export type RestoreEntry = z.infer<typeof restoreEntrySchema>;

export const hostMethods = {
  "host.doctor": { input: z.object({ selfTest: z.boolean().default(true) }).strict(), output: doctorSchema },
  /** Facts, logs and settings of this host as text files, for a diagnostics bundle. Secrets are taken out. */
  "host.diagnostics": {
    input: none,
    output: z.object({
      files: z.array(z.object({ name: z.string().regex(/^\w[\w.-]*(\/\w[\w.-]*)*$/), text: z.string() })),
    }),
  },
  /** Attaches, mounts and cleans up again what is half done, and says of each part what was found and done. */
  "host.repair": { input: none, output: doctorSchema },
  /** Ends the worker, whose supervisor starts it anew; engines serve on. Kinds of fault: `busy` while a run or an
   *  `exec` is on, `denied` where nobody would start it again. */
  "host.restart": { input: none, output: done },
  "volume.list": { input: none, output: z.array(volumeSchema) },
  /** `source`: an image file, a block device, or the mount point of one (needs `remount`). */
  "volume.attach": {
    input: z
      .object({
        source: absolutePath,
        name: displayName.optional(),
        mount: absolutePath.optional(),
        remount: z.boolean().default(false),
      })
      .strict(),
    output: volumeSchema,
  },
  "volume.detach": { input: z.object({ name: z.string().min(1) }).strict(), output: done },
  /** Replaces the engine's program by the installed one; the live device waits for milliseconds, snapshots stay. */
  "volume.upgrade": {
    input: z.object({ name: z.string().min(1) }).strict(),
    output: z.object({ name: z.string(), previousVersion: z.string(), version: z.string() }),
  },
  "practice.create": {
    input: z
      .object({
        name: displayName,
        sizeBytes: z
          .number()
          .int()
          .min(64 * MIB, "must be at least 64 MiB")
          .max(1024 * 1024 * MIB, "must be at most 1 TiB"),
        fs: z.enum(["ext4", "xfs"]).default("ext4"),
        writer: z.boolean().default(false),
      })
      .strict(),
    output: volumeSchema,
  },
  "practice.remove": { input: z.object({ name: z.string().min(1) }).strict(), output: done },
  "practice.writer": { input: z.object({ name: z.string().min(1), on: z.boolean() }).strict(), output: volumeSchema },
  "sample.latest": { input: none, output: z.array(sampleSchema) },
  "cache.list": { input: none, output: z.array(cacheLocationSchema) },
  "cache.removeOrphans": { input: none, output: z.object({ removed: z.array(z.string()), freedBytes: z.number() }) },
  "cache.allow": {
    input: z.object({ locations: z.array(absolutePath) }).strict(),
    output: z.array(cacheLocationSchema),
  },
  "snapshot.create": { input: snapshotCreateInput, output: snapshotGroupSchema },
  "snapshot.list": { input: none, output: z.array(snapshotSchema) },
  "snapshot.mount": { input: z.object({ id: z.string(), target: absolutePath }).strict(), output: done },
  /** The one reader of a kept snapshot's image, which goes through it in order, is done with what lies below `offset`
   *  (bytes): its cache there is freed, and what lies there cannot be read any more. Kinds of fault: `notFound`, `busy`
   *  while it is mounted, `failed` once the snapshot is lost. */
  "snapshot.passed": {
    input: z.object({ id: z.string(), offset: z.number().int().nonnegative() }).strict(),
    output: z.object({ cacheFreedBytes: z.number().int().nonnegative() }),
  },
  "snapshot.release": { input: z.object({ id: z.string() }).strict(), output: done },
  /** What changed from the snapshot `since` to the snapshot `id`, in parts. Both may be released, as long as their
   *  engine remembers them. Kinds of fault: `notFound` when it is not known (any more), and why. */
  "snapshot.changes": {
    input: z.object({ id: z.string(), since: z.string(), offset: z.number().int().nonnegative().default(0) }).strict(),
    output: z.object({
      volume: z.string(),
      /** Bytes; in order, none adjacent. */
      extents: z.array(z.object({ offset: z.number(), length: z.number() })),
      /** Where to ask on; null: all is told. */
      next: z.number().nullable(),
    }),
  },
  /** Local socket only: it opens doors of this host, and reads keys. */
  "nbd.serve": { input: nbdServeInput, output: nbdServiceSchema },
  "nbd.list": { input: none, output: z.array(nbdServiceSchema) },
  "nbd.stop": { input: nbdStopInput, output: done },
  /** The frozen images are mounted at the volumes' paths in a namespace of their own until the caller's
   *  connection ends or `exec.end` is called. Local socket only. */
  "exec.begin": {
    input: snapshotCreateInput,
    output: z.object({
      session: z.string(),
      /** For `nsenter --mount=`. */
      namespace: z.string(),
      mode: modeSchema,
      said,
      volumes: z.array(z.object({ name: z.string(), mount: z.string(), provider: z.string(), takenAt: z.string() })),
    }),
  },
  "exec.end": {
    input: z.object({ session: z.string() }).strict(),
    output: z.object({
      volumes: z.array(
        z.object({
          name: z.string(),
          provider: z.string(),
          takenAt: z.string(),
          cacheUsedBytes: z.number(),
          code: z.string().nullable(),
        }),
      ),
    }),
  },
  /** Runs a hook alone: one that holds until it says READY and lets go. No snapshot is taken. */
  "hook.test": {
    input: z.object({ hook: hookSchema, jobName: z.string(), volumes: z.array(z.string()) }).strict(),
    output: hookTrialSchema,
  },
  "run.start": { input: runSpecSchema, output: done },
  "run.cancel": { input: z.object({ runId: z.string() }).strict(), output: done },
  /** Entries directly below `path` (`/` first) in the backup that a run made. */
  "restore.list": {
    input: repository.extend({ runId: z.string(), path: absolutePath }).strict(),
    output: z.array(restoreEntrySchema),
  },
  /** Restores `paths` below `target`, which must be absent or empty. */
  "restore.start": {
    input: repository.extend({ runId: z.string(), paths: z.array(absolutePath).min(1), target: absolutePath }).strict(),
    output: z.object({ restoredFiles: z.number(), restoredBytes: z.number() }),
  },
  /** Whether a repository can be opened with this password; makes it when absent. */
  "repository.prepare": { input: repository.strict(), output: z.object({ created: z.boolean() }) },
  /** Kills and restarts the engine of an attached volume; the live device waits meanwhile. */
  "engine.restart": { input: z.object({ volume: z.string().min(1) }).strict(), output: done },
  "engine.log": {
    input: z.object({ volume: z.string().min(1), lines: z.number().int().min(1).max(2000).default(200) }).strict(),
    output: z.array(z.string()),
  },
} as const;

export type HostMethods = typeof hostMethods;
export type HostMethod = keyof HostMethods;
export type HostInput<M extends HostMethod> = z.input<HostMethods[M]["input"]>;
export type HostOutput<M extends HostMethod> = z.output<HostMethods[M]["output"]>;
