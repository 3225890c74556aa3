import { TRPCClientError } from "@trpc/client";
import type { AppRouter } from "@/server/console/routers/app-router";
import type { Fault } from "@/server/core/contracts/link";

/** What a failed call says to a person. A call that never reached the console says so. */
export function faultOf(error: unknown): Fault {
  if (error instanceof TRPCClientError) {
    const { data, message } = error as TRPCClientError<AppRouter>;
    if (data?.fault) return besideItsField(data.fault);
    if (data?.code) return { kind: "internal", message, field: null, code: null };
  }
  return {
    kind: "unavailable",
    message: "The console does not answer. Check that it is running; what you entered is kept.",
    field: null,
    code: null,
  };
}

/** Shown beside its field, a message need not begin with the field's name. */
function besideItsField(fault: Fault): Fault {
  const prefix = `${fault.field}: `;
  return fault.field && fault.message.startsWith(prefix)
    ? { ...fault, message: fault.message.slice(prefix.length) }
    : fault;
}

/** Whether the same question may be answered later: neither its asker nor what it asks for is the reason. */
export function mayPass(error: unknown): boolean {
  const { kind } = faultOf(error);
  return kind === "unavailable" || kind === "internal";
}

/** Whether the session has ended. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof TRPCClientError && (error as TRPCClientError<AppRouter>).data?.code === "UNAUTHORIZED";
}
