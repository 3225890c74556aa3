import { z } from "zod";
import { hostMethods } from "@/server/core/contracts/host-methods";
import { volumeViewSchema } from "@/server/core/contracts/views";
import { permitted, router } from "../procedures";

const onHost = { hostId: z.string() };
const empty = z.object({});

export const volumesRouter = router({
  list: permitted("see")
    .input(z.object({ hostId: z.string().optional() }).strict().default({}))
    .output(z.array(volumeViewSchema))
    .query(({ ctx, input }) => ctx.services.volumes.list(input.hostId)),
  attach: permitted("changeVolumes")
    .input(hostMethods["volume.attach"].input.extend(onHost).strict())
    .output(volumeViewSchema)
    .mutation(({ ctx, input: { hostId, ...rest } }) => ctx.services.volumes.attach(hostId, rest)),
  detach: permitted("changeVolumes")
    .input(hostMethods["volume.detach"].input.extend(onHost).strict())
    .output(empty)
    .mutation(({ ctx, input: { hostId, ...rest } }) => ctx.services.volumes.detach(hostId, rest)),
  createPractice: permitted("changeVolumes")
    .input(hostMethods["practice.create"].input.extend(onHost).strict())
    .output(volumeViewSchema)
    .mutation(({ ctx, input: { hostId, ...rest } }) => ctx.services.volumes.createPractice(hostId, rest)),
  removePractice: permitted("changeVolumes")
    .input(hostMethods["practice.remove"].input.extend(onHost).strict())
    .output(empty)
    .mutation(({ ctx, input: { hostId, ...rest } }) => ctx.services.volumes.removePractice(hostId, rest)),
  setWriter: permitted("changeVolumes")
    .input(hostMethods["practice.writer"].input.extend(onHost).strict())
    .output(volumeViewSchema)
    .mutation(({ ctx, input: { hostId, ...rest } }) => ctx.services.volumes.setWriter(hostId, rest)),
});
