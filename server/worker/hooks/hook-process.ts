/**
 * One hook as a process. What is promised of it:
 *
 * - It begins only when it is in the journal and guarded, and so never runs unknown to a successor of this worker.
 * - It has a session and a process group of its own, and the whole group ends with it: at its end, its time-out, a
 *   cancel, and the death of this worker: TERM, and KILL after the grace. For the last there is a guard, a shell whose
 *   standard input ends when the worker is killed.
 * - At a time-out, a cancel or a recovery also what left the group is ended, by a mark in its environment. At an
 *   ordinary end it is left alone: a program may start a service.
 * - It does not get the worker's environment, which may hold secrets, nor a terminal. Its working directory is `/`, so it
 *   is never in the way of a freeze by where it stands. A hook that writes to a frozen volume waits for the thaw as
 *   any program does; nothing waits for the hook meanwhile, so the thaw comes all the same.
 * - Nothing waits for its pipes: a child that holds them open does not hold up the run.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Hook } from "@/server/core/contracts/hooks";
import { monotonicMs, pause } from "../clock";
import { FaultError, messageOf } from "../fault";
import { endGroup, endMarked, isAlive, nameProcess, type ProcessName } from "../programs/processes";
import type { UndoStack } from "../snapshots/undo";
import { BoundedOutput } from "./bounded-output";

/** Variable that marks a hook and what it starts. */
export const HOOK_MARK = "STILLFRAME_HOOK";
/** Waits for a line before it becomes the program; one that holds goes on reading where the line ended. */
const GATE = { hold: 'read -r _ && exec "$@"', toItsEnd: 'read -r _ && exec "$@" </dev/null' } as const;
/** $1: the group; $2: how many tenths of a second it has to end by itself. */
const GUARD = `read -r _
gone() { ! kill -s 0 -- "-$1" 2>/dev/null; }
wait_for() { i=0; while [ $i -lt $2 ] && ! gone "$1"; do sleep 0.1; i=$((i+1)); done; }
wait_for "$1" "$2"
kill -s TERM -- "-$1" 2>/dev/null
wait_for "$1" 20
kill -s KILL -- "-$1" 2>/dev/null
exit 0`;
/** One that holds sees the end of its input when the worker dies, and may let go in its own way. */
const GUARD_WAITS_TENTHS = { hold: 20, toItsEnd: 0 } as const;
const BARE = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  USER: "root",
  LOGNAME: "root",
  LANG: "C.UTF-8",
};
/** After the program's own end, for what is still in its pipes. */
const DRAIN_MS = 300;
/** A process that the kernel holds on to outlives its kill; it stays in the journal then. */
const KILLED_WITHIN_MS = 2000;

export interface HookEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

export class HookProcess {
  private end: HookEnd | null = null;
  private closed = false;
  private stopping: Promise<void> | null = null;
  private readonly startedAt = monotonicMs();
  private readonly gone: Promise<void>;

  private constructor(
    private readonly undo: UndoStack,
    private readonly child: ChildProcess,
    private readonly guard: ChildProcess,
    private readonly output: BoundedOutput,
    private readonly name: ProcessName,
    private readonly mark: string,
  ) {
    this.gone = new Promise((done) => {
      const settle = (exitCode: number | null, signal: NodeJS.Signals | null) => {
        this.end ??= { exitCode, signal };
        done();
      };
      if (child.exitCode !== null || child.signalCode !== null) settle(child.exitCode, child.signalCode);
      child.once("exit", settle);
    });
    child.once("close", () => (this.closed = true));
  }

  /** Throws a fault when the system can start no process at all; a program that is missing ends with 127. */
  static async start(
    undo: UndoStack,
    hook: Pick<Hook, "at" | "command">,
    env: Record<string, string>,
    label: string,
    onLine: (line: string, stream: "stdout" | "stderr") => void,
  ): Promise<HookProcess> {
    const mark = randomBytes(12).toString("hex");
    const words = typeof hook.command === "string" ? ["/bin/sh", "-c", hook.command] : hook.command;
    const kind = hook.at === "freezeHold" ? "hold" : "toItsEnd";
    const child = spawn("/bin/sh", ["-c", GATE[kind], "hook", ...words], {
      detached: true,
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
      env: environment({ ...BARE, ...env, [HOOK_MARK]: mark }),
    });
    const output = new BoundedOutput(onLine);
    child.stdin?.on("error", () => {}); // it ended: its status says so
    try {
      await once(child, "spawn");
    } catch (cause) {
      throw new FaultError("unavailable", `no process can be started: ${messageOf(cause)}`, { cause });
    }
    const pid = child.pid as number;
    const guard = spawn("/bin/sh", ["-c", GUARD, "guard", String(pid), String(GUARD_WAITS_TENTHS[kind])], {
      detached: true,
      cwd: "/",
      stdio: ["pipe", "ignore", "ignore"],
      env: environment(BARE),
    });
    guard.on("error", () => {}); // without a guard the gate stays shut, below
    guard.stdin?.on("error", () => {}); // it has done its work
    const name = await nameProcess(pid);
    if (guard.pid === undefined || name === null) {
      child.kill("SIGKILL");
      guard.stdin?.end();
      throw new FaultError("unavailable", "no process can be started to guard the hook");
    }
    const started = new HookProcess(undo, child, guard, output, name, mark);
    if (child.stdout !== null) output.follow(child.stdout, "stdout");
    if (child.stderr !== null) output.follow(child.stderr, "stderr");
    await undo.push({ kind: "hook", ...name, mark, what: label });
    if (kind === "hold") child.stdin?.write("\n");
    else child.stdin?.end("\n");
    return started;
  }

  get lines(): string[] {
    return this.output.lines;
  }

  get tookMs(): number {
    return monotonicMs() - this.startedAt;
  }

  /** Its own end, or null while it runs. What the kernel knows is newer: `isAlive`. */
  get ended(): HookEnd | null {
    return this.end;
  }

  isAlive(): Promise<boolean> {
    return isAlive(this.name);
  }

  /** Its end, or null when it did not come in time or the signal aborted. Ends nothing by itself. */
  async waitForEnd(ms: number, signal?: AbortSignal): Promise<HookEnd | null> {
    const waiting = new AbortController();
    const stop = signal === undefined ? waiting.signal : AbortSignal.any([waiting.signal, signal]);
    await Promise.race([this.gone, pause(ms, stop)]);
    waiting.abort();
    return this.end;
  }

  /** To a program that holds: let go. */
  endInput(): void {
    this.child.stdin?.end();
  }

  /**
   * Ends what is left of it, and forgets it in the journal once nothing is. `all`: also what it put out of its group.
   * Asking again waits for the same end.
   */
  stop(how: { all: boolean }): Promise<void> {
    this.stopping ??= this.stopOnce(how.all);
    return this.stopping;
  }

  private async stopOnce(all: boolean): Promise<void> {
    if (this.end !== null && !this.closed) await Promise.race([once(this.child, "close"), pause(DRAIN_MS)]);
    await endGroup(this.name.pid);
    this.guard.kill("SIGKILL");
    await Promise.race([this.gone, pause(KILLED_WITHIN_MS)]);
    if (all) await endMarked(HOOK_MARK, this.mark);
    for (const stream of [this.child.stdin, this.child.stdout, this.child.stderr]) stream?.destroy();
    if (this.end === null) return;
    await this.undo.drop((step) => step.kind === "hook" && step.mark === this.mark);
  }
}

/** These and no others: what the worker has in its own stays there. */
function environment(variables: Record<string, string>): NodeJS.ProcessEnv {
  return variables as unknown as NodeJS.ProcessEnv;
}
