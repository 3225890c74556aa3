import { z } from "zod";
import { cacheViewSchema } from "@/server/core/contracts/views";
import { permitted, router } from "../procedures";

export const cacheRouter = router({
  list: permitted("see")
    .input(z.object({ hostId: z.string().optional() }).strict().prefault({}))
    .output(z.array(cacheViewSchema))
    .query(({ ctx, input }) => ctx.services.cache.list(input.hostId)),
  removeOrphans: permitted("troubleshoot")
    .input(z.object({ hostId: z.string().min(1) }).strict())
    .output(z.object({ removed: z.array(z.string()), freedBytes: z.number() }))
    .mutation(({ ctx, input }) => ctx.services.hosts.ask(input.hostId, "cache.removeOrphans", {})),
});
