/** The list of runs: what can be asked of it. The console's database answers. */
import { z } from "zod";
import { outcomeSchema } from "../contracts/run";
import { listFields } from "./list-query";

export const runListSchema = z
  .object({
    ...listFields,
    result: z.enum(["", "active", ...outcomeSchema.options]).default(""),
    jobId: z.string().default(""),
    hostId: z.string().default(""),
    sort: z.enum(["newest", "oldest", "longest", "job"]).default("newest"),
  })
  .strict();
export type RunListQuery = z.output<typeof runListSchema>;
