import { z } from "zod";
import { hostInvitationSchema } from "@/server/core/contracts/joining";
import { actionResultSchema, diagnosticsBundleSchema, hostViewSchema } from "@/server/core/contracts/views";
import { doctorSchema } from "@/server/core/contracts/volume";
import { permitted, router } from "../procedures";

export const hostsRouter = router({
  list: permitted("see")
    .output(z.array(hostViewSchema))
    .query(({ ctx }) => ctx.services.hosts.list()),
  /** For a new host. The token is in this answer only. */
  invite: permitted("manageHosts")
    .input(z.object({}).strict())
    .output(hostInvitationSchema)
    .mutation(({ ctx }) => ctx.services.joining.invite(ctx.viewer.email)),
  /** Refused while it has jobs. */
  remove: permitted("manageHosts")
    .input(z.object({ hostId: z.string().min(1) }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      const { hosts, jobs } = ctx.services;
      await hosts.remove(input.hostId, await jobs.namesOn(input.hostId));
      return {};
    }),
  /** `selfTest` makes a small volume, snapshots it, overwrites it and compares: takes seconds. */
  doctor: permitted("troubleshoot")
    .input(z.object({ hostId: z.string(), selfTest: z.boolean().default(true) }).strict())
    .output(doctorSchema)
    .mutation(({ ctx, input }) => ctx.services.hosts.doctor(input.hostId, input.selfTest)),
  /** All that somebody else needs to understand it, as one archive without secrets. */
  diagnostics: permitted("troubleshoot")
    .input(z.object({ hostId: z.string().min(1) }).strict())
    .output(diagnosticsBundleSchema)
    .mutation(({ ctx, input }) => ctx.services.diagnostics.ofHost(input.hostId)),
  /** Attaches, mounts and cleans up again what is half done; running backups are left alone. */
  repair: permitted("troubleshoot")
    .input(z.object({ hostId: z.string().min(1) }).strict())
    .output(doctorSchema)
    .mutation(({ ctx, input }) => ctx.services.hosts.repair(input.hostId)),
  /** Answers when the worker is connected again. */
  restartWorker: permitted("troubleshoot")
    .input(z.object({ hostId: z.string().min(1) }).strict())
    .output(actionResultSchema)
    .mutation(({ ctx, input }) => ctx.services.hosts.restartWorker(input.hostId)),
  restartEngine: permitted("troubleshoot")
    .input(z.object({ hostId: z.string(), volume: z.string() }).strict())
    .output(z.object({}))
    .mutation(({ ctx, input }) => ctx.services.hosts.ask(input.hostId, "engine.restart", { volume: input.volume })),
});
