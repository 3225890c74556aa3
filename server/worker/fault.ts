/** A failure that crosses the worker's boundary: what `contracts/link.ts` calls a fault, as an exception. */
import { z } from "zod";
import type { Fault } from "@/server/core/contracts/link";
import type { ErrorCode } from "@/server/core/errors/codes";
import type { EvidenceFor } from "@/server/core/errors/evidence";

type FaultKind = Fault["kind"];

export class FaultError extends Error {
  override name = "FaultError";
  constructor(
    readonly kind: FaultKind,
    message: string,
    readonly detail: { field?: string; code?: ErrorCode; evidence?: Fault["evidence"]; cause?: unknown } = {},
  ) {
    super(message, { cause: detail.cause });
  }
}

/** A fault with a code of the error table and the evidence that belongs to it. */
export function codedFault<C extends ErrorCode>(
  kind: FaultKind,
  code: C,
  message: string,
  evidence: EvidenceFor<C>,
  cause?: unknown,
): FaultError {
  return new FaultError(kind, message, { code, evidence: evidence as Fault["evidence"], cause });
}

/** What is sent for anything that was thrown. */
export function toFault(error: unknown): Fault {
  if (error instanceof FaultError) {
    const { field = null, code = null, evidence } = error.detail;
    return { kind: error.kind, message: error.message, field, code, ...(evidence && { evidence }) };
  }
  if (error instanceof z.ZodError) {
    const issue = error.issues[0];
    const field = issue?.path.join(".") || null;
    const message = issue === undefined ? "the input is not valid" : `${field ?? "the input"}: ${issue.message}`;
    return { kind: "invalid", message, field, code: null };
  }
  return { kind: "internal", message: messageOf(error), field: null, code: null };
}

/** What was thrown as a fault; anything unforeseen as one of the kind `internal`. */
export function asFault(error: unknown): FaultError {
  return error instanceof FaultError ? error : new FaultError("internal", messageOf(error), { cause: error });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `ENOENT` and the like, of a system call's error. */
export function errnoName(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}
