import { isIP } from "node:net";
import os from "node:os";
import path from "node:path";
import { z } from "zod";
import type { CertificateFiles } from "./http/certificate";

const schema = z.object({
  STILLFRAME_HOME: z.string().startsWith("/", "must be an absolute path").optional(),
  STILLFRAME_RUN: z.string().startsWith("/", "must be an absolute path").default("/run/stillframe"),
  STILLFRAME_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  STILLFRAME_BIND: z.string().min(1).default("127.0.0.1"),
  STILLFRAME_HOST_KEY: z.string().startsWith("/", "must be an absolute path").optional(),
  STILLFRAME_PUBLIC_URL: z.url().optional(),
  STILLFRAME_TLS_CERT: z.string().startsWith("/", "must be an absolute path").optional(),
  STILLFRAME_TLS_KEY: z.string().startsWith("/", "must be an absolute path").optional(),
  STILLFRAME_TLS_PORT: z.coerce.number().int().min(1).max(65_535).default(4643),
  STILLFRAME_TRUSTED_PROXIES: z
    .string()
    .default("")
    .transform((list) => list.split(",").flatMap((address) => address.trim() || []))
    .refine((list) => list.every((address) => isIP(address) !== 0), "must be IP addresses with commas between them"),
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
  /** Addresses of proxies that are believed who their client is. */
  trustedProxies: ReadonlySet<string>;
  /** HTTPS by an own certificate on `bind` and this port; plain HTTP is then for this machine alone. */
  tls: (CertificateFiles & { port: number }) | null;
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
    trustedProxies: new Set(given.STILLFRAME_TRUSTED_PROXIES),
    tls: tlsOf(given),
    metricsAccess: given.STILLFRAME_METRICS,
    developing: env.NODE_ENV === "development",
    logLevel: given.STILLFRAME_LOG_LEVEL,
  };
}

function tlsOf(given: z.infer<typeof schema>): Environment["tls"] {
  const { STILLFRAME_TLS_CERT: certificate, STILLFRAME_TLS_KEY: key, STILLFRAME_TLS_PORT: port } = given;
  if (certificate && key) return { certificate, key, port };
  if (certificate || key) throw new Error("STILLFRAME_TLS_CERT and STILLFRAME_TLS_KEY belong together: give both");
  return null;
}

function defaultHome(): string {
  return process.getuid?.() === 0 ? "/var/lib/stillframe" : path.join(os.homedir(), ".local/share/stillframe");
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
const EVERYWHERE = new Set(["0.0.0.0", "::"]);

/** The address that a person on this network types. */
export function originOf({ publicUrl, bind, port, tls }: Environment): string {
  if (publicUrl !== null) return new URL(publicUrl).origin;
  const host = EVERYWHERE.has(bind) ? os.hostname() : LOOPBACK.has(bind) ? "127.0.0.1" : bind;
  return tls ? url("https", host, tls.port) : url("http", host, port);
}

/** Where plain HTTP listens. */
export function plainBindOf({ bind, tls }: Environment): string {
  return tls ? "127.0.0.1" : bind;
}

/** The host name for which browsers keep passkeys. They keep none for an IP address; this machine has a name besides. */
export function passkeyHostOf(environment: Environment): string {
  const { hostname } = new URL(originOf(environment));
  return isIP(hostname.replace(/^\[|\]$/g, "")) === 0 ? hostname : "localhost";
}

/** The address at which this very process reaches itself. */
export function internalUrlOf(environment: Environment): string {
  const bind = plainBindOf(environment);
  return url("http", EVERYWHERE.has(bind) ? "127.0.0.1" : bind, environment.port);
}

const url = (scheme: string, host: string, port: number): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
