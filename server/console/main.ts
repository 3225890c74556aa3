/** The console's process: `node dist/console.js`. Logs to standard error; ends on SIGTERM and SIGINT. */
import { format, stripVTControlCharacters } from "node:util";
import pino from "pino";
import { openConsole } from "./console";
import { internalUrlOf, originOf, readEnvironment } from "./environment";
import { startPages } from "./http/pages";

process.umask(0o077);
process.env.NEXT_TELEMETRY_DISABLED ??= "1";

const environment = readEnvironment(process.env);
const log = pino({ level: environment.logLevel, base: { program: "console" } }, pino.destination(2));

// What libraries tell a terminal becomes lines of the log.
for (const [method, level] of [
  ["log", "info"],
  ["info", "info"],
  ["warn", "warn"],
  ["error", "error"],
] as const) {
  console[method] = (...said: unknown[]) =>
    log[level]({ part: "libraries" }, stripVTControlCharacters(format(...said)));
}

// Next renders first paints by asking this very console.
process.env.STILLFRAME_INTERNAL_URL ??= internalUrlOf(environment);

try {
  const { developing, bind, port } = environment;
  const pages = await startPages({ developing, hostname: bind, port });
  const { close } = await openConsole(environment, pages, log);
  log.info({ address: originOf(environment) }, "the console is up");
  let closing = false;
  const stop = (signal: string) => {
    if (closing) return;
    closing = true;
    log.info({ signal }, "shutting down");
    close().then(
      () => process.exit(0),
      (error) => {
        log.error({ err: error }, "shutting down failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
} catch (error) {
  const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  log.fatal({ err: error }, taken ? `port ${environment.port} is taken` : "the console could not start");
  process.exit(1);
}
