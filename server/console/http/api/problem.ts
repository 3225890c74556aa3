/** Errors of the HTTP API: always a problem document that names the field, what was given, and what is allowed. */
import { STATUS_CODES } from "node:http";
import { z } from "zod";
import type { Fault } from "@/server/core/contracts/link";
import { FaultError } from "../../services/fault-error";
import type { Problem } from "./documents";

const statuses: Record<Fault["kind"], number> = {
  invalid: 400,
  denied: 403,
  notFound: 404,
  busy: 409,
  conflict: 409,
  failed: 422,
  internal: 500,
  unavailable: 503,
};

export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(kind: Fault["kind"], detail: string, more: Partial<Pick<Problem, "status" | "code" | "errors">> = {}) {
    super(detail);
    this.name = "ProblemError";
    const status = more.status ?? statuses[kind];
    const title = STATUS_CODES[status] ?? "Error";
    this.problem = { type: "about:blank", title, status, detail, kind, code: null, errors: [], ...more };
  }
}

/** `input` and `given`: what the route takes and got, for the field that a service found fault with. */
export function problemOf(error: unknown, input: z.ZodObject, given: Record<string, unknown>): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (!(error instanceof FaultError)) {
    return new ProblemError("internal", "The console failed. Its log has the details.").problem;
  }
  const { kind, message, field, code } = error.fault;
  const errors = field === null ? [] : [errorOf(field, message, input, given)].filter((one) => one !== null);
  return new ProblemError(kind, message, { code, errors }).problem;
}

/** Of the path or the query, or else of the document that came with the request. */
function errorOf(field: string, message: string, input: z.ZodObject, given: Record<string, unknown>) {
  if (field in input.shape) return { field, given: shown(given[field]), allowed: allowedFor(input, field) };
  const [top = ""] = field.split(".");
  if (top === "password" || !(top in given)) return null;
  return { field, given: typeof given[field] === "string" ? shown(given[field]) : null, allowed: message };
}

/** The value that fits, or throws a problem that names every field that does not. */
export function checked(input: z.ZodObject, given: Record<string, unknown>): Record<string, unknown> {
  const found = input.safeParse(given);
  if (found.success) return found.data;
  const errors = found.error.issues.flatMap((issue) => {
    const fields = issue.code === "unrecognized_keys" ? issue.keys : [String(issue.path[0] ?? "")];
    return fields.map((field) => ({ field, given: shown(given[field]), allowed: allowedFor(input, field) }));
  });
  const detail = errors
    .map(
      ({ field, given: what, allowed }) => `${field}: ${what === null ? "nothing" : `“${what}”`} was given; ${allowed}`,
    )
    .join(". ");
  throw new ProblemError("invalid", `${detail}.`, { errors });
}

const LONGEST_SHOWN = 200;

function shown(value: unknown): string | null {
  return value === undefined ? null : String(value).slice(0, LONGEST_SHOWN);
}

function allowedFor(input: z.ZodObject, field: string): string {
  const property = input.shape[field];
  if (property === undefined) {
    const fields = Object.keys(input.shape);
    return fields.length === 0 ? "there are no parameters here" : `parameters are ${fields.join(", ")}`;
  }
  return `allowed is ${inWords(z.toJSONSchema(property as z.ZodType, { io: "input" }))}`;
}

/** Text is told by what it is for. */
function inWords({ type, enum: values, minimum, maximum, description }: z.core.JSONSchema.BaseSchema): string {
  if (values) return `one of ${values.join(", ")}`;
  if (type === "integer") return `a whole number from ${minimum} to ${maximum}`;
  const told = (description ?? "any text.").replace(/\.$/, "");
  return told.charAt(0).toLowerCase() + told.slice(1);
}
