/**
 * The two kinds of procedure: open to anyone, and for the signed-in whose role has a permission. Each tells which
 * in its meta data; a test enumerates the router and tries every procedure as every role and as nobody.
 */
import { initTRPC, TRPCError } from "@trpc/server";
import superjson from "superjson";
import { isAuditAction } from "@/server/core/access/audit";
import { may, type Permission, type Role, refusal } from "@/server/core/access/permissions";
import type { Outcome } from "../services/audit/audit";
import type { Services } from "../services/services";
import { faultOf, trpcErrorOf } from "./faults";

export type Identity = { userId: string; sessionId: string; name: string; email: string; role: Role };

/** Who asks. `now` looks the session up again where that may have changed: a socket outlives a sign-out. */
export type Viewer = Identity & { now: () => Promise<Identity | null> };

/** `address`: the client's, as the connection tells it. */
export type Context = { services: Services; viewer: Viewer | null; address: string | null };

const t = initTRPC
  .context<Context>()
  .meta<{ permission: Permission | null }>()
  .create({
    transformer: superjson,
    // Subscriptions belong to the socket, which ends when its session does.
    sse: { enabled: false },
    errorFormatter: ({ shape, error }) => {
      const { stack: _, ...data } = shape.data;
      const fault = faultOf(error);
      return { ...shape, message: fault.message, data: { ...data, fault } };
    },
  });

export const router = t.router;

/** Turns a fault thrown by a service into the tRPC error that carries it. */
const withFaults = t.middleware(async ({ next }) => {
  const result = await next();
  if (!result.ok) throw trpcErrorOf(result.error);
  return result;
});

export const publicProcedure = t.procedure.meta({ permission: null }).use(withFaults);

/** For what depends on the input; `permitted` is for the rest. */
export function demand(role: Role, permission: Permission): void {
  if (!may(role, permission)) throw new TRPCError({ code: "FORBIDDEN", message: refusal(role, permission) });
}

/** A mutation leaves an entry in the audit log, also when it is refused. */
export function permitted(permission: Permission) {
  return publicProcedure.meta({ permission }).use(async ({ ctx, next, type, path, getRawInput }) => {
    const viewer = await ctx.viewer?.now();
    if (!viewer) throw new TRPCError({ code: "UNAUTHORIZED", message: "Sign in first." });
    const allowed = () => next({ ctx: { ...ctx, viewer } });
    if (type !== "mutation" || !isAuditAction(path)) {
      demand(viewer.role, permission);
      return allowed();
    }
    const { audit } = ctx.services;
    const actor = { by: viewer.email, role: viewer.role, address: ctx.address };
    const input = await getRawInput();
    if (may(viewer.role, permission)) return audit.around(actor, path, input, allowed, outcomeOf);
    const message = refusal(viewer.role, permission);
    await audit.record(actor, path, input, { outcome: "refused", message });
    throw new TRPCError({ code: "FORBIDDEN", message });
  });
}

function outcomeOf(result: { ok: true } | { ok: false; error: TRPCError }): Outcome {
  if (result.ok) return { outcome: "done", message: null };
  const { code, message } = result.error;
  return { outcome: code === "FORBIDDEN" || code === "BAD_REQUEST" ? "refused" : "failed", message };
}
