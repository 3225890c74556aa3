/**
 * Console and worker on this machine, until Ctrl-C.
 *
 * Order: the worker stops before the console, so that what happens while it detaches still reaches the
 * history. The worker gets time to release snapshots and detach what it attached; if it must be killed, its
 * next start cleans up.
 */
import { readdirSync, rmdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCodes, Failure } from "../failure";
import { printFacts, printNote } from "../output/print";
import { lockInstallation, makeDirectories, requireFreePorts, requireNoWorker, requireRoot } from "./preflight";
import { consoleUrl, type Installation, programArguments, programEnvironment, shownUrl } from "./programs";
import { reachesConsole } from "./reaches-console";
import { stillMounted } from "./still-mounted";
import { Supervised } from "./supervised";

const comeUpMs = 30_000;
const workerGraceMs = 60_000;
const consoleGraceMs = 10_000;

export async function up(at: Installation): Promise<void> {
  requireRoot();
  const lock = await lockInstallation(at);
  const stopped = stopSignal();
  const programs: { console?: Supervised; worker?: Supervised } = {};
  try {
    makeDirectories(at);
    await requireFreePorts(at);
    await requireNoWorker(at);
    const env = programEnvironment(at);
    const start = (name: "console" | "worker", more: Record<string, string> = {}) =>
      new Supervised({
        name,
        args: programArguments(name),
        env: { ...env, ...more },
        logFile: join(at.home, "log", `${name}.log`),
        onDeath: printNote,
      });
    programs.console = start("console");
    await consoleCameUp(at, programs.console, stopped);
    if (!stopped.received) {
      // After the console, so that the worker's first attempt to reach it succeeds.
      programs.worker = start("worker", { STILLFRAME_DETACH_ON_EXIT: "1", STILLFRAME_SUPERVISED: "1" });
      await workerCameUp(at, programs.worker, stopped);
    }
    if (!stopped.received) await greet(at);
    await stopped.signal;
  } finally {
    if (programs.worker) printNote("Stopping: releasing snapshots and detaching volumes…");
    await programs.worker?.stop(workerGraceMs);
    await programs.console?.stop(consoleGraceMs);
    if (programs.worker) removeEmpty(at.run);
    lock.close();
  }
  process.exitCode = tellWhatStayed(at) ? exitCodes.warnings : exitCodes.done;
}

/** The wish to stop: said once by SIGINT, SIGTERM or SIGHUP; later ones change nothing, stopping is under way. */
interface Stopping {
  received: boolean;
  signal: Promise<void>;
}

function stopSignal(): Stopping {
  const stopping: Stopping = { received: false, signal: Promise.resolve() };
  stopping.signal = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        stopping.received = true;
        resolve();
      });
    }
  });
  return stopping;
}

async function consoleCameUp(at: Installation, program: Supervised, stopping: Stopping): Promise<void> {
  const url = `${consoleUrl(at)}/healthz`;
  const deadline = performance.now() + comeUpMs;
  while (performance.now() < deadline) {
    const healthy = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy || stopping.received) return;
    await sleep(50);
  }
  throw new Failure(`the console did not come up within ${comeUpMs / 1000} s`, 1, null, program.lastLines.join("\n  "));
}

/**
 * Until the worker answers and has reached the console, so that any command works from then on. A worker
 * that does not come up is told, not fatal: the console can show why, and it is tried again.
 */
async function workerCameUp(at: Installation, program: Supervised, stopping: Stopping): Promise<void> {
  const deadline = performance.now() + comeUpMs;
  while (performance.now() < deadline) {
    if ((await reachesConsole(at)) || stopping.received) return;
    await sleep(50);
  }
  printNote(`The worker does not answer yet. The end of its log:\n  ${program.lastLines.join("\n  ")}`);
}

/** Tidies the run directory. What is still in use (a file, a mount) stays, with the directories above it. */
function removeEmpty(directory: string): void {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) removeEmpty(join(directory, entry.name));
    }
    rmdirSync(directory);
  } catch {
    // Not empty, or a mount point.
  }
}

/** A volume that is in use is not torn away from its user. */
function tellWhatStayed(at: Installation): boolean {
  const mounts = stillMounted(at.run);
  for (const { mount, elsewhere } of mounts) {
    const too = elsewhere.length > 0 ? `, also mounted in another mount namespace: ${elsewhere.join(", ")};` : "";
    printNote(`${mount} is in use (fuser -vm '${mount}' tells by whom)${too} and stays mounted, served by its engine.`);
  }
  if (mounts.length > 0) printNote("The next start takes it up again; stopping that once it is free detaches it.");
  return mounts.length > 0;
}

async function greet(at: Installation): Promise<void> {
  const link = await readFile(join(at.home, "console", "signin-link"), "utf8").catch(() => "");
  printFacts(false, null, () =>
    [
      "",
      `  Stillframe is running at ${shownUrl(at)}`,
      link.trim() ? `  First sign-in, works once: ${link.trim()}` : `  Sign in at ${shownUrl(at)}/sign-in`,
      `  State: ${at.home}    Stop: Ctrl-C`,
      "",
    ].join("\n"),
  );
}
