/** Runs another program to its end: arguments as a list, never through a shell; output collected; time limited. */
import { spawn } from "node:child_process";

export interface ProgramResult {
  /** Exit status; null when a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  input?: string;
  env?: Record<string, string>;
  /** Killed after this long, and not waited for when even that does not end it. Default 60 s. */
  timeoutMs?: number;
}

export class ProgramFailed extends Error {
  override name = "ProgramFailed";
  constructor(
    readonly program: string,
    readonly result: ProgramResult,
  ) {
    const said = result.stderr.trim() || result.stdout.trim() || "it said nothing";
    super(`${program} ended with ${result.exitCode ?? result.signal}: ${said}`);
  }
}

/** A program that hangs inside the kernel outlives its kill until the kernel lets go. */
const KILLED_WITHIN_MS = 2000;
const MOST_OUTPUT = 64 * 1024 * 1024;

/** Resolves whatever the exit status; rejects only when the program cannot be started. */
export function runProgram(program: string, args: string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
    });
    let timer = setTimeout(() => {
      child.kill("SIGKILL");
      timer = setTimeout(leave, KILLED_WITHIN_MS);
    }, options.timeoutMs ?? 60_000);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size = 0;
    const keep = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MOST_OUTPUT) into.push(chunk);
    };
    const end = (exitCode: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      done({ exitCode, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    };
    const leave = () => {
      child.unref();
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      end(null, "SIGKILL");
    };
    child.stdout.on("data", keep(out));
    child.stderr.on("data", keep(err));
    child.on("error", (error) => {
      clearTimeout(timer);
      fail(error);
    });
    child.on("close", end);
    child.stdin.on("error", () => {}); // a program that ends without reading its input is judged by its status
    child.stdin.end(options.input ?? "");
  });
}

/** Its standard output; throws `ProgramFailed` unless it ended with 0. */
export async function mustRun(program: string, args: string[], options: ProgramOptions = {}): Promise<string> {
  const result = await runProgram(program, args, options);
  if (result.exitCode !== 0) throw new ProgramFailed(program, result);
  return result.stdout;
}
