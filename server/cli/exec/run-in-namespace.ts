/**
 * Runs a command where the frozen images stand at the volumes' paths.
 *
 * Signals: from a terminal, Ctrl-C reaches the command by itself (same process group), so it is not sent
 * twice; a signal sent to this process alone is passed on. Either way the command decides when it ends, and
 * the caller releases only after that.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { Failure } from "../failure";
import type { Interruption } from "../interruption";

export interface Ended {
  /** As a shell counts: the command's own, or 128 + the signal that ended it. */
  exitCode: number;
}

export interface NamespacedCommand {
  namespace: string;
  command: readonly [string, ...string[]];
  env: Record<string, string>;
}

export function runInNamespace(what: NamespacedCommand, interruption: Interruption): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("nsenter", [`--mount=${what.namespace}`, `--wdns=${process.cwd()}`, "--", ...what.command], {
      stdio: "inherit",
      env: { ...process.env, ...what.env },
    });
    const stop = interruption.subscribe((signal) => {
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    });
    child.once("error", (error) => {
      stop();
      reject(new Failure(`cannot run nsenter: ${error.message}`, 1, null, "Install the package util-linux."));
    });
    child.once("close", (code, signal) => {
      stop();
      resolve({ exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0) });
    });
  });
}
