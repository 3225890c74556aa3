import { z } from "zod";
import { findNamed, foundSchema } from "@/server/core/lists/find";
import { permitted, router } from "../procedures";

export const searchRouter = router({
  /** Jobs and volumes by words of their names, the best few; a job also by “run” and “now”. */
  find: permitted("see")
    .input(z.object({ text: z.string().max(200) }).strict())
    .output(foundSchema)
    .query(async ({ ctx: { services }, input: { text } }) => {
      const [jobs, volumes] = await Promise.all([services.jobs.names(), services.volumes.list()]);
      const named = volumes.map(({ hostId, name }) => ({ hostId, name }));
      return { jobs: findNamed(jobs, text, "run now"), volumes: findNamed(named, text, "") };
    }),
});
