/**
 * Restic as Stillframe calls it. The password never stands on a command line: it lies in a private file under
 * `<run>/secrets` while a call needs it.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { EvidenceFor } from "@/server/core/errors/evidence";
import { codedFault, FaultError } from "../fault";
import type { Places } from "../places";
import { readStat } from "../programs/processes";
import { type ProgramResult, runProgram } from "../programs/run-program";
import { removeFile } from "../state/json-file";

export interface Repository {
  repository: string;
  passwordFile: string;
}

/** Keeps the password in a private file; whoever asks for one removes it. */
export async function writePasswordFile(places: Places, password: string): Promise<string> {
  const path = newSecretPath(places);
  await keepPassword(places, path, password);
  return path;
}

/** A path for a secret that does not exist yet, so that its removal can be journaled first. */
export function newSecretPath(places: Places): string {
  return join(places.secrets, randomBytes(8).toString("hex"));
}

export async function keepPassword(places: Places, path: string, password: string): Promise<void> {
  await mkdir(places.secrets, { recursive: true, mode: 0o700 });
  await writeFile(path, password, { mode: 0o600 });
}

/** Arguments that every call has. */
export function commonArguments(places: Places, { repository, passwordFile }: Repository): string[] {
  const cache = join(places.home, "worker", "restic-cache");
  return ["--repo", repository, "--password-file", passwordFile, "--cache-dir", cache];
}

/** Runs a short restic command with the repository's password. */
export async function withRestic<T>(
  places: Places,
  at: { repository: string; password: string },
  work: (call: (...args: string[]) => Promise<ProgramResult>) => Promise<T>,
): Promise<T> {
  const passwordFile = await writePasswordFile(places, at.password);
  const common = commonArguments(places, { repository: at.repository, passwordFile });
  try {
    return await work((...args) => callRestic([...common, ...args]));
  } finally {
    await removeFile(passwordFile);
  }
}

/** `repository.prepare`: opens the repository, or makes it when there is none. */
export function prepareRepository(
  places: Places,
  at: { repository: string; password: string },
): Promise<{ created: boolean }> {
  return withRestic(places, at, async (call) => {
    // Without a lock: what only looks must leave nothing behind when it is killed.
    const opened = await call("cat", "config", "--no-lock");
    if (opened.exitCode === 0) return { created: false };
    if (/wrong password|no key found/i.test(opened.stderr)) {
      const message = `${at.repository} does not open with this password`;
      throw new FaultError("denied", message, { field: "password", evidence: endOf(opened, message) });
    }
    if (!/Is there a repository|unable to open config file|does not exist/i.test(opened.stderr)) {
      throw resticFailed(opened);
    }
    const made = await call("init");
    if (made.exitCode !== 0) throw resticFailed(made);
    return { created: true };
  });
}

/** Removes locks whose process is gone. True when there were any. */
export async function unlockRepository(places: Places, repository: string, passwordFile: string): Promise<boolean> {
  const before = await locksIn(repository);
  if (before.length === 0 || (await stat(passwordFile).catch(() => null)) === null) return false;
  const common = commonArguments(places, { repository, passwordFile });
  await callRestic([...common, "unlock"]);
  for (const lock of await locksIn(repository)) {
    const shown = await callRestic([...common, "cat", "lock", lock, "--no-lock"]);
    if (shown.exitCode === 0 && (await isHolderDead(shown.stdout))) await removeFile(join(repository, "locks", lock));
  }
  return (await locksIn(repository)).length < before.length;
}

const lockSchema = z.object({ hostname: z.string(), pid: z.number().int() });

/** Restic takes a process that has ended, but that nobody has reaped yet, for a living one. */
async function isHolderDead(lock: string): Promise<boolean> {
  const { hostname: host, pid } = lockSchema.parse(JSON.parse(lock));
  if (host !== hostname()) return false;
  const process = await readStat(pid);
  return process === null || process.state === "Z";
}

async function locksIn(repository: string): Promise<string[]> {
  return readdir(join(repository, "locks")).catch(() => []);
}

function callRestic(args: string[]): Promise<ProgramResult> {
  return runProgram("restic", args, { timeoutMs: 3_600_000, env: { RESTIC_PROGRESS_FPS: "1" } }).catch(
    (cause: unknown) => {
      throw new FaultError("unavailable", "restic is not installed; install the Debian package restic", { cause });
    },
  );
}

/** SF-103 with the end of what restic said. */
export function resticFailed(result: ProgramResult): FaultError {
  const last = result.stderr.trim().split("\n").at(-1) ?? "";
  return codedFault(
    "failed",
    "SF-103",
    `restic ended with ${result.exitCode ?? result.signal}: ${last}`,
    endOf(result),
  );
}

/** How it ended, as SF-103 keeps it. */
function endOf(result: ProgramResult, ...more: string[]): EvidenceFor<"SF-103"> {
  const lines = [...`${result.stdout}\n${result.stderr}`.split("\n").filter(Boolean), ...more].slice(-200);
  return { exitCode: result.exitCode, signal: result.signal, lines };
}
