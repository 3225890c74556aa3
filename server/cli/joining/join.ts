/**
 * Makes this machine a host of a console: what it needs is installed, a key is made that never leaves it, the console
 * learns the key's hash by a one-time token, and the worker is started, as a service where systemd runs.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Joined, joinedSchema } from "@/server/core/contracts/joining";
import { Failure } from "../failure";
import type { Locations } from "../locations";
import { printNote } from "../output/print";
import { makeDirectories, requireNoWorker } from "../up/preflight";
import { reachesConsole } from "../up/reaches-console";
import { Supervised } from "../up/supervised";
import { removeReplaced, settledRoot } from "./releases";
import { installService, serviceIsInstalled } from "./service";

const joinMs = 30_000;
const connectMs = 30_000;
const stopMs = 60_000;

export interface JoinOptions {
  /** Where the console is, as this machine reaches it. */
  console: URL;
  token: string;
  at: Locations;
  /** False: the worker runs in the foreground, until Ctrl-C. */
  service: boolean;
}

/** Tells by `joined` how the console calls this machine once its worker is connected. */
export async function joinConsole(
  { console, token, at, service }: JoinOptions,
  joined: (host: Joined) => void,
): Promise<void> {
  makeDirectories(at);
  // A service that is there already is started anew; a worker of another kind is somebody else's to stop.
  if (!service || !serviceIsInstalled()) await requireNoWorker(at);
  const host = await askToJoin(console, token, ownKey(at));
  const environment = workerEnvironment(console, at);
  const root = settledRoot();
  const program = join(root, "dist", "worker.js");
  if (service) {
    await installService({ node: process.execPath, program, environment });
    await connected(at);
    joined(host);
    removeReplaced(root);
    return;
  }
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
  const worker = new Supervised({
    name: "worker",
    args: ["--enable-source-maps", program],
    env: { ...process.env, ...environment, STILLFRAME_DETACH_ON_EXIT: "1" },
    logFile: join(at.home, "log", "worker.log"),
    onDeath: printNote,
  });
  try {
    await connected(at, worker);
    joined(host);
    removeReplaced(root);
    await stopped;
  } finally {
    printNote("Stopping: releasing snapshots and detaching volumes…");
    await worker.stop(stopMs);
  }
}

/** The key by which the console knows this machine, made when there is none. */
function ownKey({ home }: Locations): string {
  const file = join(home, "worker", "worker.key");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const key = randomBytes(32).toString("base64url");
  writeFileSync(file, `${key}\n`, { mode: 0o600, flag: "wx" });
  return key;
}

async function askToJoin(console: URL, token: string, key: string): Promise<Joined> {
  const keyHash = createHash("sha256").update(key).digest("hex");
  const response = await fetch(new URL("/api/join", console), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ hostname: hostname(), keyHash }),
    redirect: "error",
    signal: AbortSignal.timeout(joinMs),
  }).catch((error: Error) => {
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    throw new Failure(`the console at ${console.origin} cannot be reached: ${why}`, 1, "OFO-COMM");
  });
  const text = await response.text();
  if (!response.ok) throw new Failure(`the console refused: ${text.trim().slice(0, 500)}`);
  const host = joinedSchema.safeParse(parsed(text));
  if (!host.success) throw new Failure(`${console.origin} does not answer like a Stillframe console`, 1, "OFO-COMM");
  return host.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function workerEnvironment(console: URL, at: Locations): Record<string, string> {
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  return {
    STILLFRAME_HOME: at.home,
    STILLFRAME_RUN: at.run,
    STILLFRAME_HOST_KEY: join(at.home, "worker", "worker.key"),
    STILLFRAME_CONSOLE_URL: console.origin.replace(/^http/, "ws"),
    STILLFRAME_SUPERVISED: "1",
    ...(certificates && { NODE_EXTRA_CA_CERTS: certificates }),
  };
}

/** Until the worker has reached the console. */
async function connected(at: Locations, program?: Supervised): Promise<void> {
  const deadline = performance.now() + connectMs;
  while (performance.now() < deadline) {
    if (await reachesConsole(at)) return;
    await sleep(100);
  }
  const log = program === undefined ? "journalctl -u stillframe-worker tells why." : program.lastLines.join("\n  ");
  throw new Failure(`the worker did not reach the console within ${connectMs / 1000} s`, 1, "OFO-COMM", log);
}
