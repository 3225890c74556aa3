import { z } from "zod";
import { settingsChangeSchema, settingsSchema } from "@/server/core/contracts/settings";
import { regImportResultSchema } from "@/server/core/contracts/views";
import { permitted, router } from "../procedures";

const MAX_REG_BASE64 = 700_000;

export const settingsRouter = router({
  get: permitted("see")
    .output(settingsSchema)
    .query(({ ctx }) => ctx.services.settings.get()),
  set: permitted("changeSettings")
    .input(settingsChangeSchema)
    .output(settingsSchema)
    .mutation(({ ctx, input }) => ctx.services.settings.set(input)),
  /** `content`: the bytes of a `.reg` export, base64. Nothing changes unless the value is found. */
  importReg: permitted("changeSettings")
    .input(
      z.object({ content: z.base64().max(MAX_REG_BASE64, "the file is too large for a registry export") }).strict(),
    )
    .output(regImportResultSchema)
    .mutation(({ ctx, input }) => ctx.services.settings.importReg(input.content)),
});
