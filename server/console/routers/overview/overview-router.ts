import { overviewSchema } from "@/server/core/contracts/views";
import { protectedProcedure, router } from "../procedures";

export const overviewRouter = router({
  get: protectedProcedure.output(overviewSchema).query(({ ctx }) => ctx.services.overview.get()),
});
