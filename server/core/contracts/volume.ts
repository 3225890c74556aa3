/**
 * What every room calls a volume: a file system on a host that can be protected.
 * Sizes are bytes, times ISO 8601 with milliseconds and zone (see `time.ts`).
 */
import { z } from "zod";
import { instant } from "./time";

/** How a frozen image of a volume is made. `none`: no snapshot can be had, only a plain read. */
export const providerSchema = z.enum(["engine", "none"]);
export type Provider = z.infer<typeof providerSchema>;

/**
 * `attached`: writes pass the engine. `available`: mounted, not attached. `detached`: known to
 * Stillframe, not attached now. `unreachable`: attached, but its engine does not answer.
 */
export const volumeStateSchema = z.enum(["attached", "available", "detached", "unreachable"]);
export type VolumeState = z.infer<typeof volumeStateSchema>;

export const volumeSchema = z.object({
  /** Unique on its host: the mount point for ordinary volumes, the given name for practice volumes. */
  name: z.string(),
  mount: z.string().nullable(),
  /** The block device that is mounted; for an attached volume the live device. */
  device: z.string().nullable(),
  /** Backing store: the device or image file where the data rests. */
  source: z.string(),
  fsType: z.string().nullable(),
  sizeBytes: z.number().int().nonnegative(),
  usedBytes: z.number().int().nonnegative(),
  provider: providerSchema,
  state: volumeStateSchema,
  /** Made by `practice create`; may be removed with everything of it. */
  practice: z.boolean(),
  /** Practice volumes: whether the writer is on. */
  writer: z.boolean(),
  /** What makes the live device of an attached volume, as `ublk`; missing until its engine has told. */
  transport: z.string().optional(),
  /** Why that is not ublk, where ublk would have been chosen. */
  notUblkBecause: z.string().optional(),
});
export type Volume = z.infer<typeof volumeSchema>;

/** A snapshot that an engine holds open. */
export const snapshotSchema = z.object({
  id: z.string(),
  /** Snapshots taken at one instant share this. */
  group: z.string(),
  volume: z.string(),
  provider: providerSchema,
  takenAt: instant,
  /** Block device that serves the frozen image, read-only. */
  device: z.string().nullable(),
  cacheLocation: z.string(),
  cacheMaxBytes: z.number().int().nonnegative(),
  state: z.enum(["active", "overflowed", "damaged"]),
  cacheUsedBytes: z.number().int().nonnegative(),
  preservedBlocks: z.number().int().nonnegative(),
  skippedFreeBlocks: z.number().int().nonnegative(),
  /** A reader has passed a part of it, whose cache was given up: that part cannot be read any more. */
  passed: z.boolean().default(false),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** A place where cache files may be kept. */
export const cacheLocationSchema = z.object({
  path: z.string(),
  /** Mount point of the file system that it lies on. */
  mount: z.string(),
  totalBytes: z.number().int().nonnegative(),
  freeBytes: z.number().int().nonnegative(),
  /** Reserved by cache files that are open now. */
  reservedBytes: z.number().int().nonnegative(),
  usedBytes: z.number().int().nonnegative(),
  snapshots: z.array(z.string()),
  /** Cache files that no engine holds; `cache.removeOrphans` removes them. */
  orphans: z.array(z.object({ path: z.string(), sizeBytes: z.number().int().nonnegative() })),
});
export type CacheLocation = z.infer<typeof cacheLocationSchema>;

/** One live measurement of one volume. Counters are totals since the engine was attached. */
export const sampleSchema = z.object({
  volume: z.string(),
  at: instant,
  writes: z.number().int().nonnegative(),
  writeBytes: z.number().int().nonnegative(),
  reads: z.number().int().nonnegative(),
  readBytes: z.number().int().nonnegative(),
  lastWriteAt: instant.nullable(),
  /** Time since the last write, at `at`. */
  quietMs: z.number().nonnegative(),
  cacheUsedBytes: z.number().int().nonnegative(),
  cacheReservedBytes: z.number().int().nonnegative(),
  /** Most that the cache may grow to; 0 when no snapshot is open. */
  cacheMaxBytes: z.number().int().nonnegative(),
  preservedBlocks: z.number().int().nonnegative(),
  skippedFreeBlocks: z.number().int().nonnegative(),
  openSnapshots: z.number().int().nonnegative(),
});
export type Sample = z.infer<typeof sampleSchema>;

export const doctorSchema = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      required: z.boolean(),
      detail: z.string(),
      fix: z.string().nullable(),
    }),
  ),
});
export type Doctor = z.infer<typeof doctorSchema>;
