/** The JSON that comes with a request, checked; what does not fit is told field by field. */
import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { ProblemError } from "./problem";

const MOST_BYTES = 256 * 1024;

/** Throws a problem where it is too long, not JSON, or not what the route takes. */
export async function readBody<S extends z.ZodType>(request: IncomingMessage, schema: S): Promise<z.output<S>> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/json") {
    throw new ProblemError("invalid", "Send the document as application/json.", { status: 415 });
  }
  const given = parsed(await bytesOf(request));
  const found = schema.safeParse(given);
  if (found.success) return found.data;
  const errors = found.error.issues.flatMap((issue) => {
    const paths = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    return paths.map((path) => ({ field: path.join("."), given: shown(given, path), allowed: issue.message }));
  });
  const detail = errors.map(({ field, allowed }) => (field ? `${field}: ${allowed}` : allowed)).join(". ");
  throw new ProblemError("invalid", `${detail}.`, { errors });
}

/** What is too long is heard to its end all the same, but not kept: who breaks off cannot be answered. */
async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MOST_BYTES) chunks.push(chunk);
  }
  if (length > MOST_BYTES) {
    throw new ProblemError("invalid", `A document may have ${MOST_BYTES / 1024} KiB at most.`, { status: 413 });
  }
  return Buffer.concat(chunks);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ProblemError("invalid", "The document is not JSON in UTF-8.");
  }
}

const LONGEST_SHOWN = 200;
const SECRET = /password/i;

/** What stood there, as JSON; null where nothing did, and never a secret. */
function shown(document: unknown, path: readonly PropertyKey[]): string | null {
  if (path.some((key) => SECRET.test(String(key)))) return null;
  let found = document;
  for (const key of path) {
    if (found === null || typeof found !== "object") return null;
    found = (found as Record<PropertyKey, unknown>)[key];
  }
  if (path.length === 0 || found === undefined) return null;
  return JSON.stringify(found).slice(0, LONGEST_SHOWN);
}
