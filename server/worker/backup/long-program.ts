/** A backup program: long-running, line by line, in a namespace, in a process group of its own, journaled, cancellable. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { FaultError } from "../fault";
import { endGroupOf, isAlive, nameProcess } from "../programs/processes";
import type { UndoStack } from "../snapshots/undo";

export const KEPT_LINES = 200;
/** Waits for a line before it becomes the program: none runs that is not in the journal, also when the worker dies. */
const GATE = 'read -r _ && exec "$@" </dev/null';

/** A program that the kernel holds in a read of a hung volume outlives its kill; it stays in the journal then. */
const KILLED_WITHIN_MS = 2000;

export interface LongProgram {
  program: string;
  args: string[];
  /** Namespace file; null: the host's own. */
  namespace: string | null;
  env: Record<string, string>;
  what: string;
  onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

export interface LongProgramResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines of both streams. */
  lines: string[];
}

/** Runs to the end; on abort ends the whole process group and resolves with what there is. */
export async function runLongProgram(
  undo: UndoStack,
  { program, args, namespace, env, what, onLine }: LongProgram,
  signal: AbortSignal,
): Promise<LongProgramResult> {
  const inside = namespace === null ? [] : ["nsenter", `--mount=${namespace}`, "--"];
  const child = spawn("/bin/sh", ["-c", GATE, "gate", ...inside, program, ...args], {
    detached: true,
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const lines: string[] = [];
  for (const stream of ["stdout", "stderr"] as const) {
    createInterface({ input: child[stream] }).on("line", (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onLine?.(line, stream);
    });
  }
  let leave = () => {};
  const ended = new Promise<LongProgramResult>((done, fail) => {
    leave = () => done({ exitCode: null, signal: "SIGKILL", lines });
    child.once("error", (cause) => {
      fail(new FaultError("unavailable", `${program} cannot be started: ${cause.message}`, { cause }));
    });
    child.once("close", (exitCode, endedBy) => done({ exitCode, signal: endedBy, lines }));
  });
  child.stdin.on("error", () => {}); // ended at the gate: its status says so
  const name = child.pid === undefined ? null : await nameProcess(child.pid);
  if (name === null) return ended;
  const abort = () => void endGroupOf(name).then(() => setTimeout(leave, KILLED_WITHIN_MS));
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    await undo.push({ kind: "process", ...name, what });
    child.stdin.end("\n");
    return await ended;
  } finally {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    signal.removeEventListener("abort", abort);
    if (!(await isAlive(name))) await undo.drop((step) => step.kind === "process" && step.pid === name.pid);
  }
}
