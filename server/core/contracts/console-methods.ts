/**
 * What the command line can ask the console, through the worker's local socket and the link
 * (method `console.<name>` on the socket). The console runs these with the worker's host as the caller.
 */
import { z } from "zod";
import { emailSchema, newLinkSchema, userViewSchema } from "./accounts";
import { effectiveJobSchema, jobInputSchema } from "./job";
import { roleSchema } from "./role";
import { runEventSchema, runSchema } from "./run";
import { settingsChangeSchema, settingsSchema } from "./settings";

const byEmail = z.object({ email: emailSchema }).strict();
const byName = z.object({ job: z.string().min(1) }).strict();

export const consoleMethods = {
  "job.list": { input: z.object({}).strict(), output: z.array(effectiveJobSchema) },
  /** `hostId` is filled with the calling host when empty. */
  "job.create": { input: jobInputSchema.omit({ hostId: true }).strict(), output: effectiveJobSchema },
  /** The whole job; a password that is left out stays as it is stored. */
  "job.update": {
    input: jobInputSchema
      .omit({ hostId: true })
      .extend({ job: z.string().min(1) })
      .strict(),
    output: effectiveJobSchema,
  },
  "job.setPaused": {
    input: z.object({ job: z.string().min(1), paused: z.boolean() }).strict(),
    output: effectiveJobSchema,
  },
  "job.remove": { input: byName, output: z.object({}) },
  /** `job`: name or id. */
  "job.run": { input: byName, output: z.object({ runId: z.string() }) },
  "run.show": { input: z.object({ run: z.string() }).strict(), output: runSchema },
  "run.list": {
    input: z.object({ limit: z.number().int().min(1).max(500).default(50) }).strict(),
    output: z.array(runSchema),
  },
  "run.cancel": { input: z.object({ run: z.string() }).strict(), output: z.object({}) },
  /** Events after the given position, oldest first. */
  "run.log": {
    input: z.object({ run: z.string(), after: z.number().int().min(0).default(0) }).strict(),
    output: z.object({
      events: z.array(z.object({ position: z.number(), event: runEventSchema })),
      ended: z.boolean(),
    }),
  },
  "restore.list": {
    input: z.object({ run: z.string(), path: z.string().default("/") }).strict(),
    output: z.array(
      z.object({ path: z.string(), type: z.string(), sizeBytes: z.number(), modifiedAt: z.string().nullable() }),
    ),
  },
  "restore.start": {
    input: z.object({ run: z.string(), paths: z.array(z.string()).min(1), target: z.string() }).strict(),
    output: z.object({ restoredFiles: z.number(), restoredBytes: z.number() }),
  },
  "settings.get": { input: z.object({}).strict(), output: settingsSchema },
  "settings.set": { input: settingsChangeSchema, output: settingsSchema },
  /** The bytes of a `.reg` export, base64. */
  "settings.importReg": { input: z.object({ content: z.base64() }).strict(), output: settingsSchema },
  /** `user.*`, `signin.link` and what changes settings are answered to the console's own host alone. */
  "user.list": { input: z.object({}).strict(), output: z.array(userViewSchema) },
  "user.invite": { input: z.object({ email: emailSchema, role: roleSchema }).strict(), output: newLinkSchema },
  "user.password": { input: byEmail, output: newLinkSchema },
  "user.removeSecondFactor": { input: byEmail, output: z.object({}) },
  "user.role": { input: z.object({ email: emailSchema, role: roleSchema }).strict(), output: z.object({}) },
  "user.remove": { input: byEmail, output: z.object({}) },
  "signin.link": { input: z.object({}).strict(), output: z.object({ url: z.string().nullable() }) },
} as const;

export type ConsoleMethods = typeof consoleMethods;
export type ConsoleMethod = keyof ConsoleMethods;
export type ConsoleInput<M extends ConsoleMethod> = z.input<ConsoleMethods[M]["input"]>;
export type ConsoleOutput<M extends ConsoleMethod> = z.output<ConsoleMethods[M]["output"]>;
