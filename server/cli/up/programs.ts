/** Where console and worker are: beside this program in `dist/`, or as sources when run from those. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

export type ProgramName = "console" | "worker";

/** Arguments for `process.execPath`. */
export function programArguments(name: ProgramName): string[] {
  const bundle = join(import.meta.dirname, `${name}.js`);
  if (existsSync(bundle)) return ["--enable-source-maps", bundle];
  return ["--import", "tsx", join(import.meta.dirname, "../..", name, "main.ts")];
}

/** What every program of one installation is told about it. */
export interface Installation {
  home: string;
  run: string;
  bind: string;
  port: number;
  /** HTTPS on `bind` and this port; the console's plain port is then for this host alone. */
  tls: { certificate: string; key: string; port: number } | null;
}

export function programEnvironment(at: Installation): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_ENV: process.env.NODE_ENV ?? "production",
    STILLFRAME_HOME: at.home,
    STILLFRAME_RUN: at.run,
    STILLFRAME_BIND: at.bind,
    STILLFRAME_PORT: String(at.port),
    ...(at.tls && {
      STILLFRAME_TLS_CERT: at.tls.certificate,
      STILLFRAME_TLS_KEY: at.tls.key,
      STILLFRAME_TLS_PORT: String(at.tls.port),
    }),
    STILLFRAME_CONSOLE_URL: `ws://${plainHost(at)}:${at.port}`,
    STILLFRAME_HOST_KEY: process.env.STILLFRAME_HOST_KEY ?? join(at.home, "worker", "worker.key"),
  };
}

export const consoleUrl = (at: Installation): string => `http://${plainHost(at)}:${at.port}`;

/** Where this host reaches the console. */
const plainHost = (at: Installation): string => (at.tls ? "127.0.0.1" : reachable(at.bind));

/** What a person types, on this host or, where it listens everywhere, on another. */
export function shownUrl(at: Installation): string {
  const host = everywhere.has(at.bind) ? hostname() : reachable(at.bind);
  return at.tls ? `https://${host}:${at.tls.port}` : `http://${host}:${at.port}`;
}

const everywhere = new Set(["0.0.0.0", "::"]);

/** An address that this host itself can dial, as it stands in a URL. */
function reachable(bind: string): string {
  if (everywhere.has(bind)) return "127.0.0.1";
  return bind.includes(":") ? `[${bind}]` : bind;
}
