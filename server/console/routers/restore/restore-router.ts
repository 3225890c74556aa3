import { z } from "zod";
import { restoreEntrySchema } from "@/server/core/contracts/host-methods";
import { absolutePath } from "@/server/core/contracts/job";
import { permitted, router } from "../procedures";

export const restoreRouter = router({
  /** Entries directly below `path` in the backup that a run made. */
  list: permitted("browseBackups")
    .input(z.object({ runId: z.string(), path: absolutePath.default("/") }).strict())
    .output(z.array(restoreEntrySchema))
    .query(({ ctx, input }) => ctx.services.restore.list(input.runId, input.path)),
  start: permitted("restore")
    .input(
      z
        .object({
          runId: z.string(),
          paths: z.array(absolutePath).min(1, "choose at least one file"),
          target: absolutePath,
        })
        .strict(),
    )
    .output(z.object({ restoredFiles: z.number(), restoredBytes: z.number() }))
    .mutation(({ ctx, input }) => ctx.services.restore.start(input.runId, input.paths, input.target)),
});
