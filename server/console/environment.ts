import { isIP } from "node:net";
import os from "node:os";
import path from "node:path";
import { z } from "zod";

const schema = z.object({
  STILLFRAME_HOME: z.string().startsWith("/", "must be an absolute path").optional(),
  STILLFRAME_RUN: z.string().startsWith("/", "must be an absolute path").default("/run/stillframe"),
  STILLFRAME_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  STILLFRAME_BIND: z.string().min(1).default("127.0.0.1"),
  STILLFRAME_HOST_KEY: z.string().startsWith("/", "must be an absolute path").optional(),
  STILLFRAME_PUBLIC_URL: z.url().optional(),
  STILLFRAME_METRICS: z.enum(["key", "loopback"]).default("key"),
  STILLFRAME_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

export type Environment = {
  /** State on disk. */
  home: string;
  /** Sockets of the moment. */
  run: string;
  port: number;
  bind: string;
  /** File of the key that the worker on this machine shows. */
  hostKeyFile: string;
  /** Where browsers reach the console when a proxy stands before it; null: by the address they used. */
  publicUrl: string | null;
  /** Who may read `/metrics`: holders of a key only, or also any program on this machine. */
  metricsAccess: "key" | "loopback";
  developing: boolean;
  logLevel: string;
};

const DEFAULT_PORT = 4400;

/** Throws an error that names the variable that is wrong. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join(".")}: ${issue?.message}`);
  }
  const given = parsed.data;
  const home = given.STILLFRAME_HOME ?? defaultHome();
  return {
    home,
    run: given.STILLFRAME_RUN,
    port: given.STILLFRAME_PORT ?? DEFAULT_PORT,
    bind: given.STILLFRAME_BIND,
    hostKeyFile: given.STILLFRAME_HOST_KEY ?? path.join(home, "worker", "worker.key"),
    publicUrl: given.STILLFRAME_PUBLIC_URL ?? null,
    metricsAccess: given.STILLFRAME_METRICS,
    developing: env.NODE_ENV === "development",
    logLevel: given.STILLFRAME_LOG_LEVEL,
  };
}

function defaultHome(): string {
  return process.getuid?.() === 0 ? "/var/lib/stillframe" : path.join(os.homedir(), ".local/share/stillframe");
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
const EVERYWHERE = new Set(["0.0.0.0", "::"]);

/** The address that a person on this network types. */
export function originOf({ publicUrl, bind, port }: Environment): string {
  if (publicUrl !== null) return new URL(publicUrl).origin;
  return httpUrl(EVERYWHERE.has(bind) ? os.hostname() : LOOPBACK.has(bind) ? "127.0.0.1" : bind, port);
}

/** The host name for which browsers keep passkeys. They keep none for an IP address; this machine has a name besides. */
export function passkeyHostOf(environment: Environment): string {
  const { hostname } = new URL(originOf(environment));
  return isIP(hostname.replace(/^\[|\]$/g, "")) === 0 ? hostname : "localhost";
}

/** The address at which this very process reaches itself. */
export function internalUrlOf({ bind, port }: Environment): string {
  return httpUrl(EVERYWHERE.has(bind) ? "127.0.0.1" : bind, port);
}

const httpUrl = (host: string, port: number): string => `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
