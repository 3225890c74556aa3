import { overviewSchema } from "@/server/core/contracts/views";
import { permitted, router } from "../procedures";

export const overviewRouter = router({
  get: permitted("see")
    .output(overviewSchema)
    .query(({ ctx }) => ctx.services.overview.get()),
});
