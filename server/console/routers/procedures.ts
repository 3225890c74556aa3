/**
 * The two kinds of procedure: open to anyone, and for the signed-in administrator. Everything but
 * `account.state` and `account.createAdministrator` is of the second kind; a test enumerates the router.
 */
import { initTRPC, TRPCError } from "@trpc/server";
import superjson from "superjson";
import type { Services } from "../services/services";
import { faultOf, trpcErrorOf } from "./faults";

/** Who asks. `alive` looks the session up again where that may have changed: a socket outlives a sign-out. */
export type Viewer = {
  name: string;
  email: string;
  alive: () => Promise<boolean>;
};

export type Context = { services: Services; viewer: Viewer | null };

const t = initTRPC.context<Context>().create({
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

export const publicProcedure = t.procedure.use(withFaults);

export const protectedProcedure = publicProcedure.use(async ({ ctx, next }) => {
  const { viewer } = ctx;
  if (!viewer || !(await viewer.alive())) {
    throw new TRPCError({ code: "UNAUTHORIZED", message: "Sign in first." });
  }
  return next({ ctx: { ...ctx, viewer } });
});
