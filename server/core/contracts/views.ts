/**
 * What the console shows to a browser: the outputs of its tRPC router. Pages take their types from here
 * and from the router's own type; they hold no schema of their own.
 */
import { z } from "zod";
import { errorCodeSchema } from "./error-code";
import { absolutePath, effectiveJobSchema, ignorePathsSchema, MINIMUM_CACHE_BYTES } from "./job";
import { evidenceSchema, runEventSchema, runSchema } from "./run";
import { settingsSchema } from "./settings";
import { instant } from "./time";
import { cacheLocationSchema, doctorSchema, sampleSchema, volumeSchema } from "./volume";

/** A machine with a worker. `lastSeenAt` is the last message of its worker; null before the first. */
export const hostViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  hostname: z.string(),
  version: z.string(),
  kernel: z.string(),
  /** By its name in the IANA database; null: its worker did not tell. */
  timeZone: z.string().nullable().default(null),
  connected: z.boolean(),
  lastSeenAt: instant.nullable(),
  /** It is the console's own machine. */
  local: z.boolean(),
  /** Only its runs and failures still speak of it; null: it is a host. */
  removedAt: instant.nullable(),
});
export type HostView = z.infer<typeof hostViewSchema>;

/** A volume as last heard of; `connected` tells whether its host can be asked now. */
export const volumeViewSchema = volumeSchema.extend({ hostId: z.string(), connected: z.boolean() });
export type VolumeView = z.infer<typeof volumeViewSchema>;

export const cacheViewSchema = cacheLocationSchema.extend({ hostId: z.string() });
export type CacheView = z.infer<typeof cacheViewSchema>;

/** A measurement with the host it comes from: volume names are unique only on their host. */
export const liveSampleSchema = sampleSchema.extend({ hostId: z.string() });
export type LiveSample = z.infer<typeof liveSampleSchema>;

/** A measurement that is kept of a run, with the largest rate of writes (bytes a second) since the one kept before. */
export const keptSampleSchema = sampleSchema.extend({ peakBytesPerSecond: z.number().nonnegative().optional() });
export type KeptSample = z.infer<typeof keptSampleSchema>;

export const jobViewSchema = effectiveJobSchema.extend({
  lastRun: runSchema.nullable(),
  /** Its time has come, and this is in the way of its start. */
  waitingFor: z.string().nullable().default(null),
});
export type JobView = z.infer<typeof jobViewSchema>;

/** An event at its place in the run's log. Positions count up from 1 without gaps. */
export const positionedEventSchema = z.object({ position: z.number().int().positive(), event: runEventSchema });
export type PositionedEvent = z.infer<typeof positionedEventSchema>;

/** One step of `runs.follow`: the event, and the run as it stands after it. */
export const runFollowSchema = positionedEventSchema.extend({ run: runSchema });
export type RunFollow = z.infer<typeof runFollowSchema>;

export const runDetailSchema = z.object({
  run: runSchema,
  events: z.array(positionedEventSchema),
  /** History for the lanes, oldest first, at most a few hundred for each volume. */
  samples: z.array(keptSampleSchema),
  host: hostViewSchema,
});
export type RunDetail = z.infer<typeof runDetailSchema>;

/** Somebody knows of a failure. It ends when the failure resolves. */
export const acknowledgementSchema = z.object({ by: z.string(), at: instant, note: z.string().nullable() });

export const failureViewSchema = z.object({
  id: z.string(),
  code: errorCodeSchema,
  at: instant,
  runId: z.string(),
  job: z.object({ id: z.string(), name: z.string() }),
  hostId: z.string(),
  volume: z.string().nullable(),
  message: z.string(),
  /** The same job succeeded later. */
  resolved: z.boolean(),
  acknowledgement: acknowledgementSchema.nullable(),
});
export type FailureView = z.infer<typeof failureViewSchema>;

/** Failures of the same job and host, code and volume. */
export const failureGroupSchema = z.object({
  /** The newest of them, whose page stands for the group. */
  newest: failureViewSchema,
  /** How many are open: since the job last succeeded. */
  open: z.number().int().nonnegative(),
  times: z.number().int().positive(),
  /** The first open one; of a resolved group the first of all. */
  since: instant,
  resolved: z.boolean(),
  /** Of an open group; the latest one where several were given. */
  acknowledgement: acknowledgementSchema.nullable(),
});
export type FailureGroup = z.infer<typeof failureGroupSchema>;

export const failureDetailSchema = failureViewSchema.extend({
  group: failureGroupSchema,
  evidence: evidenceSchema,
  events: z.array(positionedEventSchema),
});
export type FailureDetail = z.infer<typeof failureDetailSchema>;

/** An archive to be saved under this name; `zip` in base64. */
export const diagnosticsBundleSchema = z.object({ fileName: z.string(), zip: z.string() });
export type DiagnosticsBundle = z.infer<typeof diagnosticsBundleSchema>;

/** What an action did, for a person; `runId` when it started a run. `ok`: what it looked at is in order; `checks`: each part of that;
 * `lines`: what a program said. */
export const actionResultSchema = z.object({
  message: z.string(),
  runId: z.string().nullable(),
  ok: z.boolean().default(true),
  checks: doctorSchema.shape.checks.default([]),
  lines: z.array(z.string()).default([]),
});

/** Where a job's cache is to be from now on, and how large it may become; null: the broker's choice. */
export const cachePlaceSchema = z
  .object({ location: absolutePath.nullable(), maxBytes: z.number().int().min(MINIMUM_CACHE_BYTES).nullable() })
  .strict();
export type CachePlace = z.infer<typeof cachePlaceSchema>;

/** What a person has chosen for an action: `cache` belongs to `placeCache`, `ignorePaths` to the action of that name. */
export const actionChoiceSchema = z
  .object({ cache: cachePlaceSchema, ignorePaths: ignorePathsSchema })
  .partial()
  .strict();
export type ActionChoice = z.infer<typeof actionChoiceSchema>;
export type ActionResult = z.infer<typeof actionResultSchema>;

export const feedbackViewSchema = z.object({
  id: z.string(),
  code: errorCodeSchema,
  helpful: z.boolean(),
  text: z.string(),
  at: instant,
  by: z.string(),
});
export type FeedbackView = z.infer<typeof feedbackViewSchema>;

/** What a `.reg` export said: `key` is the registry path it was found under. */
export const regImportResultSchema = z.object({ settings: settingsSchema, key: z.string(), value: z.number().int() });
export type RegImportResult = z.infer<typeof regImportResultSchema>;

const ofHost = { hostName: z.string() };
const count = z.number().int().nonnegative();

/** The first page: of each a handful (`server/core/lists/overview-digest.ts`), and how many there are. */
export const overviewSchema = z.object({
  hosts: z.array(hostViewSchema),
  /** Those that the engine has, or that are in trouble. */
  volumes: z.array(volumeViewSchema.extend(ofHost)),
  recentRuns: z.array(runSchema),
  activeRuns: z.array(runSchema),
  /** The next to start first. */
  jobs: z.array(jobViewSchema),
  /** Open ones that nobody has acknowledged, the latest first. */
  failures: z.array(failureGroupSchema),
  cache: z.array(cacheViewSchema.extend(ofHost)),
  /** A run has succeeded, lately. */
  begun: z.boolean(),
  totals: z.object({
    hosts: count,
    hostsAway: count,
    volumes: count,
    caches: count,
    failures: count,
    /** Of cache files that no snapshot uses. */
    orphanBytes: count,
  }),
  /** Names of notification channels whose last message was not delivered. */
  silentChannels: z.array(z.string()),
});
export type Overview = z.infer<typeof overviewSchema>;
