/** How a command ends other than well: an exit code, text for a person and, where there is one, a code of the error table. */
import type { Fault } from "@/server/core/contracts/link";
import type { Evidence } from "@/server/core/contracts/run";
import type { ErrorCode } from "@/server/core/errors/codes";
import { namedField } from "./field-options";

/** 0 done, 1 failed, 2 wrong usage, 3 partly done, 130 interrupted. */
export const exitCodes = { done: 0, failed: 1, usage: 2, warnings: 3, interrupted: 130 } as const;

export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number = exitCodes.failed,
    readonly code: ErrorCode | null = null,
    /** What to do about it, where that is known. */
    readonly advice: string | null = null,
    readonly evidence: Evidence | null = null,
  ) {
    super(message);
  }
}

/** What is wrong with the command line or its input. */
export function usageFailure(message: string): Failure {
  return new Failure(message, exitCodes.usage);
}

export function failureOf(fault: Fault): Failure {
  if (fault.kind === "invalid") {
    const { field, message } = fault;
    // A message of a schema begins with its field.
    const said = field && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
    const named = field && (said !== message || !message.includes(field)) ? `${namedField(field)}: ` : "";
    return new Failure(`${named}${said}`, exitCodes.usage, fault.code);
  }
  return new Failure(fault.message, exitCodes.failed, fault.code, null, fault.evidence ?? null);
}
