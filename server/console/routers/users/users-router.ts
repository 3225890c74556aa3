import { z } from "zod";
import { emailSchema, invitationSchema, newLinkSchema, userViewSchema } from "@/server/core/contracts/accounts";
import { roleSchema } from "@/server/core/contracts/role";
import { permitted, router } from "../procedures";

const id = z.string().min(1);
const manage = permitted("manageUsers");

export const usersRouter = router({
  list: manage
    .output(z.object({ users: z.array(userViewSchema), invitations: z.array(invitationSchema) }))
    .query(async ({ ctx: { services } }) => ({
      users: await services.users.list(),
      invitations: await services.users.invitations(),
    })),
  /** The link is in this answer only. */
  invite: manage
    .input(z.object({ email: emailSchema, role: roleSchema }).strict())
    .output(newLinkSchema)
    .mutation(({ ctx, input }) => ctx.services.users.invite(input.email, input.role, ctx.viewer.email)),
  /** For a new password of somebody who has an account. The link is in this answer only. */
  passwordLink: manage
    .input(z.object({ email: emailSchema }).strict())
    .output(newLinkSchema)
    .mutation(({ ctx, input }) => ctx.services.users.passwordLink(input.email, ctx.viewer.email)),
  withdraw: manage
    .input(z.object({ email: emailSchema }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.users.withdraw(input.email);
      return {};
    }),
  /** For somebody who has lost theirs; their sign-ins end. */
  removeSecondFactor: manage
    .input(z.object({ email: emailSchema }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.secondFactors.remove(input.email);
      return {};
    }),
  setRole: manage
    .input(z.object({ id, role: roleSchema }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.users.setRole(input.id, input.role);
      return {};
    }),
  /** Ends their sign-ins too. What they did stays in the history. */
  remove: manage
    .input(z.object({ id }).strict())
    .output(z.object({}))
    .mutation(async ({ ctx, input }) => {
      await ctx.services.users.remove(input.id);
      return {};
    }),
});
