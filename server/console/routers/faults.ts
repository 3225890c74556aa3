/** Faults and tRPC errors: one carries the other across HTTP and WebSocket. */
import { TRPCError } from "@trpc/server";
import { ZodError } from "zod";
import type { Fault } from "@/server/core/contracts/link";
import { FaultError } from "../services/fault-error";

const codes = {
  invalid: "BAD_REQUEST",
  notFound: "NOT_FOUND",
  busy: "CONFLICT",
  conflict: "CONFLICT",
  unavailable: "SERVICE_UNAVAILABLE",
  denied: "FORBIDDEN",
  failed: "UNPROCESSABLE_CONTENT",
  internal: "INTERNAL_SERVER_ERROR",
} as const satisfies Record<Fault["kind"], TRPCError["code"]>;

/** The error as tRPC knows it; what is not a fault passes unchanged. */
export function trpcErrorOf(error: TRPCError): TRPCError {
  const { cause } = error;
  if (!(cause instanceof FaultError)) return error;
  return new TRPCError({ code: codes[cause.fault.kind], message: cause.fault.message, cause });
}

/** The fault that a client reads in `error.data.fault`; every error has one. */
export function faultOf(error: TRPCError): Fault {
  const { cause } = error;
  if (cause instanceof FaultError) return cause.fault;
  const plain = (kind: Fault["kind"], message: string, field: string | null = null): Fault => ({
    kind,
    message,
    field,
    code: null,
  });
  if (error.code === "UNAUTHORIZED" || error.code === "FORBIDDEN") return plain("denied", error.message);
  if (error.code === "NOT_FOUND") return plain("notFound", error.message);
  if (cause instanceof ZodError) {
    const issue = cause.issues[0];
    const field = issue?.path.join(".") || null;
    return plain(
      "invalid",
      issue ? [field, issue.message].filter(Boolean).join(": ") : "The input is not valid.",
      field,
    );
  }
  if (error.code === "BAD_REQUEST" || error.code === "PARSE_ERROR") return plain("invalid", error.message);
  return plain("internal", "The console failed. Its log has the details.");
}
