/**
 * Where this installation keeps its state and its sockets. A home of one's own gets a run directory of
 * its own, below /run and short: a socket's path may not exceed 107 bytes.
 */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

const systemHome = "/var/lib/stillframe";

export interface Locations {
  home: string;
  run: string;
}

export function locations(home?: string): Locations {
  const chosen = home ?? (process.env.STILLFRAME_HOME || undefined);
  const standard = process.getuid?.() === 0 ? systemHome : join(homedir(), ".local/share/stillframe");
  const resolved = resolve(chosen ?? standard);
  const own = createHash("sha256").update(resolved).digest("hex").slice(0, 8);
  return {
    home: resolved,
    run: process.env.STILLFRAME_RUN || (resolved === systemHome ? "/run/stillframe" : `/run/stillframe-${own}`),
  };
}

export const workerSocketPath = (at: Pick<Locations, "run">) => join(at.run, "worker.sock");
