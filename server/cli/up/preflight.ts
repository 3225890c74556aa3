/** What must hold before anything is started; each refusal says what to do. */
import { mkdirSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { Failure } from "../failure";
import { type Locations, workerSocketPath } from "../locations";
import type { Installation } from "./programs";

export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new Failure(
    "Stillframe freezes and mounts file systems, so it runs as root",
    1,
    null,
    "Start it with sudo: sudo npm start",
  );
}

/** Home and run directory, private to root. */
export function makeDirectories(at: Locations): void {
  for (const directory of [at.home, join(at.home, "log"), at.run]) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new Failure(
        `cannot make ${directory}: ${(error as Error).message}`,
        1,
        null,
        "Choose another with --home.",
      );
    }
  }
}

/**
 * Holds the installation for this process. The lock is a name in the kernel's abstract socket space: it is
 * gone with the process however that ends, so there is no stale lock to clean up.
 */
export function lockInstallation(at: Installation): Promise<Server> {
  return new Promise((resolve, reject) => {
    const lock = createServer((socket) => socket.destroy());
    lock.once("error", () =>
      reject(
        new Failure(
          `Stillframe is already running on ${at.home}`,
          1,
          null,
          "Stop the other one with Ctrl-C, or start this one with another --home and --port.",
        ),
      ),
    );
    lock.listen(`\0stillframe:${at.home}`, () => resolve(lock));
  });
}

export async function requireFreePorts({ tls, bind, port }: Installation): Promise<void> {
  await requireFreePort(tls ? "127.0.0.1" : bind, port, "--port");
  if (tls) await requireFreePort(bind, tls.port, "--tls-port");
}

async function requireFreePort(bind: string, port: number, option: string): Promise<void> {
  const failure = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen(port, bind, () => probe.close(() => resolve(null)));
  });
  if (!failure) return;
  if (failure.code === "EADDRINUSE") {
    throw new Failure(
      `port ${port} on ${bind} is in use by another program`,
      1,
      null,
      `Choose another: npm start -- ${option} ${port + 1}`,
    );
  }
  if (failure.code === "EADDRNOTAVAIL") {
    throw new Failure(`this host has no address ${bind}`, 1, null, "Choose one with --bind; 0.0.0.0 is all of them.");
  }
  throw new Failure(`cannot listen on ${bind}:${port}: ${failure.message}`);
}

/** A worker that was started by hand on the same sockets. */
export async function requireNoWorker(at: Locations): Promise<void> {
  if (!(await workerAnswers(at))) return;
  throw new Failure(`another worker already answers at ${workerSocketPath(at)}`, 1, null, "Stop it first.");
}

function workerAnswers(at: Locations): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(workerSocketPath(at), () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
