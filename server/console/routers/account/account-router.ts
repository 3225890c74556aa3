import { z } from "zod";
import type { AuditAction } from "@/server/core/access/audit";
import {
  accountSafetySchema,
  accountStateSchema,
  emailSchema,
  linkViewSchema,
  passkeyNameSchema,
  passwordSchema,
  personNameSchema,
  sessionViewSchema,
  signInWaysSchema,
} from "@/server/core/contracts/accounts";
import { fault } from "../../services/fault-error";
import type { Services } from "../../services/services";
import { permitted, publicProcedure, router } from "../procedures";

const token = z.string().min(1).max(200);

/** Only what happened is kept: a stranger could fill the log with guesses. */
function usedLink({ audit }: Services, address: string | null, action: AuditAction, by: string): Promise<void> {
  return audit.record({ by, role: null, address }, action, null, { outcome: "done", message: null });
}

export const accountRouter = router({
  state: publicProcedure.output(accountStateSchema).query(({ ctx: { services, viewer } }) => {
    const user = viewer && { name: viewer.name, email: viewer.email, role: viewer.role };
    return services.accounts.state(user);
  }),
  signInWays: publicProcedure.output(signInWaysSchema).query(async ({ ctx: { services } }) => {
    const { label, local } = await services.singleSignOn.ways();
    const passkeyHost = local ? await services.secondFactors.passkeyHost() : null;
    return { local, passkeyHost, singleSignOn: label };
  }),
  /** What a one-time link is good for; null when it is not valid any more. */
  link: publicProcedure
    .input(z.object({ token }).strict())
    .output(linkViewSchema.nullable())
    .query(({ ctx, input }) => ctx.services.accounts.lookAt(input.token)),
  /** Uses up the one-time link. The browser signs in afterwards with `POST /api/auth/sign-in/email`. */
  create: publicProcedure
    .input(z.object({ token, name: personNameSchema, email: emailSchema, password: passwordSchema }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx: { services, address }, input }) => {
      await usedLink(services, address, "account.create", await services.accounts.create(input));
      return {};
    }),
  /** Uses up a one-time link for a new password; all sign-ins of its user end. */
  setPassword: publicProcedure
    .input(z.object({ token, password: passwordSchema }).strict())
    .output(z.object({ email: z.string() }))
    .mutation(async ({ ctx: { services, address }, input }) => {
      const email = await services.accounts.setPassword(input.token, input.password);
      await usedLink(services, address, "account.setPassword", email);
      return { email };
    }),
  /** Second factor and passkeys. They are made by `/api/auth/two-factor` and `/api/auth/passkey`. */
  safety: permitted("see")
    .output(accountSafetySchema)
    .query(({ ctx }) => ctx.services.secondFactors.of(ctx.viewer.userId)),
  renamePasskey: permitted("see")
    .input(z.object({ id: z.string().min(1), name: passkeyNameSchema }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.secondFactors.renamePasskey(ctx.viewer.userId, input.id, input.name);
      return {};
    }),
  removePasskey: permitted("see")
    .input(z.object({ id: z.string().min(1) }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.secondFactors.removePasskey(ctx.viewer.userId, input.id);
      return {};
    }),
  sessions: permitted("see")
    .output(z.array(sessionViewSchema))
    .query(({ ctx }) => ctx.services.sessions.ofUser(ctx.viewer.userId, ctx.viewer.sessionId)),
  endSession: permitted("see")
    .input(z.object({ id: z.string().min(1) }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      const ended = await ctx.services.sessions.end(ctx.viewer.userId, input.id);
      if (!ended) throw fault("notFound", "This sign-in has ended already.");
      return {};
    }),
  endOtherSessions: permitted("see")
    .output(z.object({ ended: z.number() }))
    .mutation(async ({ ctx }) => ({
      ended: await ctx.services.sessions.endOthers(ctx.viewer.userId, ctx.viewer.sessionId),
    })),
});
