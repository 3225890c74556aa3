/** The documents of the HTTP API by the names that its description gives them. */
import { z } from "zod";
import { errorCodeSchema } from "@/server/core/contracts/error-code";
import { faultSchema } from "@/server/core/contracts/link";
import { evidenceSchema, runEventSchema, runSchema, volumeResultSchema } from "@/server/core/contracts/run";
import {
  failureViewSchema,
  hostViewSchema,
  jobViewSchema,
  positionedEventSchema,
  volumeViewSchema,
} from "@/server/core/contracts/views";

export const diagnosedFailureSchema = failureViewSchema.extend({
  /** What happened, from the evidence. */
  sentence: z.string(),
  evidence: evidenceSchema,
  /** Most likely first; `verdict` says whether the evidence shows it. */
  causes: z.array(
    z.object({ id: z.string(), title: z.string(), verdict: z.enum(["true", "no", "unknown"]), detail: z.string() }),
  ),
});

export const knownErrorSchema = z.object({
  code: errorCodeSchema,
  title: z.string(),
  /** The line that logs carry. It never changes. */
  text: z.string(),
  summary: z.string(),
});

/** An error, after RFC 9457. `kind` is for programs, `detail` for people. */
export const problemSchema = z.object({
  type: z.literal("about:blank"),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  kind: faultSchema.shape.kind,
  code: errorCodeSchema.nullable(),
  /** Each field that is wrong: what was given, and what may be. */
  errors: z.array(z.object({ field: z.string(), given: z.string().nullable(), allowed: z.string() })),
});
export type Problem = z.infer<typeof problemSchema>;

const named: Record<string, z.ZodType> = {
  Problem: problemSchema,
  ErrorCode: errorCodeSchema,
  Host: hostViewSchema,
  Job: jobViewSchema,
  Run: runSchema,
  VolumeResult: volumeResultSchema,
  Evidence: evidenceSchema,
  RunEvent: runEventSchema,
  PositionedEvent: positionedEventSchema,
  Volume: volumeViewSchema,
  Failure: failureViewSchema,
  DiagnosedFailure: diagnosedFailureSchema,
  KnownError: knownErrorSchema,
};

export function namedDocuments() {
  const made = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) made.add(schema, { id });
  return made;
}

/** A part of a list; `next` is where the rest is. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().describe("Path of the next part; null: this was all."),
  });
