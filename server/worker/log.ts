/** The worker's log: JSON lines on standard error, secrets blanked. */
import pino from "pino";

const SECRET = ["password", "RESTIC_PASSWORD", "authorization", "hostKey", "secret"];

export const log = pino(
  {
    name: "worker",
    level: process.env.STILLFRAME_LOG_LEVEL ?? "info",
    redact: { paths: SECRET.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "[redacted]" },
    timestamp: pino.stdTimeFunctions.isoTime,
  },
  pino.destination({ fd: 2, sync: true }),
);
