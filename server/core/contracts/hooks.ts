/**
 * Hooks: programs of a job that run on its host around the snapshot, so that applications are at rest when it is taken.
 * They run as the worker does, which is as root.
 */
import { z } from "zod";

/**
 * When one runs. `preFreeze`: to its end, before anything is frozen. `freezeHold`: is started before the freeze, says
 * READY, holds its application still, and is told to end right after the instant. `postSnapshot`: after that, for
 * each group that came as far as its hooks, taken or not. `postRun`: once, at the run's end, however it ends.
 */
export const hookMoments = ["preFreeze", "freezeHold", "postSnapshot", "postRun"] as const;
export const hookMomentSchema = z.enum(hookMoments);
export type HookMoment = z.infer<typeof hookMomentSchema>;

export const MOST_HOOKS = 16;
const LONGEST_COMMAND = 8192;
const noNul = (text: string) => !text.includes("\0");
const NUL = { error: "must not contain a NUL character" };

/** A line for `/bin/sh -c`, or a program with its arguments, which no shell touches. */
export const hookCommandSchema = z.union([
  z.string().trim().min(1, "must not be empty").max(LONGEST_COMMAND).refine(noNul, NUL),
  z
    .array(z.string().max(LONGEST_COMMAND).refine(noNul, NUL))
    .min(1, "name a program")
    .max(64, "has at most 64 parts")
    .refine((parts) => parts[0] !== "", { error: "name a program" }),
]);

export const hookSchema = z.object({
  at: hookMomentSchema,
  /** For logs and failures, which do not show the command. Empty: named after its moment. */
  name: z.string().trim().max(60, "must be at most 60 characters").default(""),
  command: hookCommandSchema,
  /** How long it may take; of `freezeHold` until it is ready. Then it is ended with all that it started. */
  timeoutMs: z
    .number()
    .int()
    .min(100, "must be at least 0.1 s")
    .max(1_800_000, "must be at most 30 min")
    .default(60_000),
  /** Of `preFreeze` and `freezeHold`: no snapshot, or one with a warning. After the snapshot it is always a warning. */
  onFailure: z.enum(["fail", "warn"]).default("fail"),
});
export type Hook = z.infer<typeof hookSchema>;

/** In the order in which those of one moment run. */
export const hooksSchema = z.array(hookSchema).max(MOST_HOOKS, `at most ${MOST_HOOKS} hooks`);

/** How a hook that was tried alone went. */
export const hookTrialSchema = z.object({
  ok: z.boolean(),
  /** What happened, as a sentence. */
  message: z.string(),
  tookMs: z.number().nonnegative(),
  /** The last lines of its output. */
  lines: z.array(z.string()),
});
export type HookTrial = z.infer<typeof hookTrialSchema>;
