import { z } from "zod";
import { roleSchema } from "./role";
import { instant } from "./time";

export const auditOutcomeSchema = z.enum(["done", "refused", "failed"]);

/** One thing that somebody did, or tried. `by`: an e-mail address, or `root on <host>` for the command line. */
export const auditEntrySchema = z.object({
  id: z.number().int(),
  at: instant,
  by: z.string(),
  role: roleSchema.nullable(),
  address: z.string().nullable(),
  /** A key of `auditActions`. */
  action: z.string(),
  /** What it was done to, as a person calls it. */
  subject: z.string().nullable(),
  outcome: auditOutcomeSchema,
  /** Why it was not done. */
  message: z.string().nullable(),
  /** What was asked, and the document before and after; without secrets, null where there is none. */
  input: z.unknown(),
  before: z.unknown(),
  after: z.unknown(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;
