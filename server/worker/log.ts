/** The worker's log: JSON lines on standard error, secrets blanked. */
import pino from "pino";
import { FaultError } from "./fault";

const SECRET = ["password", "RESTIC_PASSWORD", "authorization", "hostKey", "secret"];

export const log = pino(
  {
    name: "worker",
    level: process.env.STILLFRAME_LOG_LEVEL ?? "info",
    redact: { paths: SECRET.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "[redacted]" },
    serializers: { err: told },
    timestamp: pino.stdTimeFunctions.isoTime,
  },
  pino.destination({ fd: 2, sync: true }),
);

/** Where an expected refusal was thrown helps nobody: its stack is left out, and that of what caused it is not. */
function told(thrown: unknown): unknown {
  if (!(thrown instanceof FaultError) || thrown.kind === "internal") return pino.stdSerializers.err(thrown as Error);
  const { kind, message, detail, cause } = thrown;
  const caused = cause instanceof Error ? { cause: told(cause) } : {};
  return { type: thrown.name, kind, message, code: detail.code, field: detail.field, ...caused };
}
