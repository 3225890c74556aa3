/**
 * The link between a worker and the console: JSON messages on one WebSocket that the worker opens
 * (`/api/worker`, header `authorization: Bearer <host key>`). Not tRPC: its types live in the router,
 * which the worker may not import. Both sides may ask (`request`) and answer (`reply`).
 *
 * Events are kept by the worker until acknowledged and carry a sequence number, so the console stores
 * each exactly once however often the link drops. Samples, activity and volume lists may be lost.
 */
import { z } from "zod";
import { volumeActivitySchema } from "./activity";
import { errorCodeSchema } from "./error-code";
import { evidenceSchema, runEventSchema } from "./run";
import { sampleSchema, volumeSchema } from "./volume";

export const LINK_PROTOCOL = 1;

/** What workers learnt since the protocol's first version. One that does not announce it would silently leave it out. */
export const workerFeatures = ["hooks"] as const;
export type WorkerFeature = (typeof workerFeatures)[number];

/** A failure as it crosses a process boundary: text for a person, kind for a program. */
export const faultSchema = z.object({
  /** `invalid`: bad input; `notFound`, `busy`, `conflict`, `unavailable`, `internal` as their names say. */
  kind: z.enum(["invalid", "notFound", "busy", "conflict", "unavailable", "denied", "failed", "internal"]),
  message: z.string(),
  /** The field of the input that is wrong, where one is. */
  field: z.string().nullable().default(null),
  code: errorCodeSchema.nullable().default(null),
  evidence: evidenceSchema.optional(),
});
export type Fault = z.infer<typeof faultSchema>;

const request = z.object({ type: z.literal("request"), id: z.number().int(), method: z.string(), params: z.unknown() });
const reply = z.object({
  type: z.literal("reply"),
  id: z.number().int(),
  ok: z.boolean(),
  result: z.unknown().optional(),
  fault: faultSchema.optional(),
});

export const workerMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    protocol: z.number().int(),
    /** Made once by the worker and kept: names the outbox whose sequence numbers follow. */
    outboxId: z.string(),
    hostname: z.string(),
    version: z.string(),
    kernel: z.string(),
    /** The host's, by its name in the IANA database. */
    timeZone: z.string().optional(),
    activeRuns: z.array(z.string()),
    /** Of `workerFeatures`, and of those that are not known here yet. */
    supports: z.array(z.string()).default([]),
    /** The last sequence number that the outbox has given out; lets the console know when it has heard everything. */
    outboxLastSeq: z.number().int().nonnegative().optional(),
  }),
  z.object({ type: z.literal("event"), seq: z.number().int().positive(), runId: z.string(), event: runEventSchema }),
  z.object({ type: z.literal("samples"), samples: z.array(sampleSchema) }),
  /** What was written since the last one, every 10 s; of up to an hour without a console when that is back. */
  z.object({
    type: z.literal("activity"),
    /** The host's time zone, as in the IANA database. */
    zone: z.string(),
    volumes: z.array(volumeActivitySchema),
  }),
  z.object({ type: z.literal("volumes"), volumes: z.array(volumeSchema) }),
  request,
  reply,
]);
export type WorkerMessage = z.infer<typeof workerMessageSchema>;

export const consoleMessageSchema = z.discriminatedUnion("type", [
  /** `hostId` is the console's name for this worker; events up to `lastSeq` are stored. */
  z.object({
    type: z.literal("welcome"),
    protocol: z.number().int(),
    hostId: z.string(),
    lastSeq: z.number().int().nonnegative(),
  }),
  z.object({ type: z.literal("ack"), seq: z.number().int().positive() }),
  /** Whether anyone looks at live data: 10 samples a second if so, else one in 5 s. */
  z.object({ type: z.literal("watch"), on: z.boolean() }),
  request,
  reply,
]);
export type ConsoleMessage = z.infer<typeof consoleMessageSchema>;
