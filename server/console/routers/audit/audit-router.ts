import { z } from "zod";
import { auditEntrySchema } from "@/server/core/contracts/audit";
import { permitted, router } from "../procedures";

export const auditRouter = router({
  /** Newest first; `cursor` is the id of the last entry of the page before. */
  list: permitted("readAudit")
    .input(
      z
        .object({
          cursor: z.number().int().positive().optional(),
          // What the browser's list says of itself: it only ever goes on to older ones.
          direction: z.literal("forward").optional(),
          limit: z.number().int().min(1).max(1000).default(100),
          action: z.string().max(100).optional(),
          text: z.string().trim().max(200).optional(),
        })
        .strict()
        .prefault({}),
    )
    .output(z.array(auditEntrySchema))
    .query(({ ctx, input: { cursor, direction: _, ...query } }) =>
      ctx.services.audit.list({ ...query, before: cursor }),
    ),
});
