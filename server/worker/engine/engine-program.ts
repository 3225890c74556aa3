/** The engine's command line: attach, detach, export, unexport, upgrade, probe. Facts come as one JSON document. */
import { join } from "node:path";
import { FaultError, messageOf } from "../fault";
import { type ProgramResult, runProgram } from "../programs/run-program";
import { refusalFault } from "./engine-fault";
import type { AttachResult, ExportResult, FailureDocument, Nothing, ProbeResult, UpgradeResult } from "./protocol.gen";

/** The kernel holds whoever clears the device of an engine that hangs; whose run ends now is not to wait a minute for it. */
const UNEXPORTED_WITHIN_MS = 15_000;

export interface EngineVolume {
  id: string;
  backing: string;
  runDirectory: string;
  sectorSize: number;
  /** Where it keeps what it knows of the volume from one attachment to the next. */
  stateDirectory?: string;
}

export class EngineProgram {
  constructor(private readonly native: string) {}

  /** Idempotent: an engine that serves the volume already is described. */
  attach(volume: EngineVolume): Promise<AttachResult> {
    const { id, backing, runDirectory, sectorSize, stateDirectory } = volume;
    const args = ["attach", "--id", id, "--backing", backing, "--run-dir", runDirectory];
    const state = stateDirectory === undefined ? [] : ["--state-dir", stateDirectory];
    return this.run<AttachResult>([...args, "--sector-size", String(sectorSize), ...state]);
  }

  async detach(runDirectory: string, how: { force?: boolean } = {}): Promise<void> {
    await this.run<Nothing>(["detach", "--run-dir", runDirectory, ...(how.force ? ["--force"] : [])]);
  }

  /** The loop device that serves a snapshot's frozen image, read-only. Idempotent. */
  async export(runDirectory: string, snapshot: string): Promise<string> {
    const args = ["export", "--run-dir", runDirectory, "--snapshot", snapshot];
    return (await this.run<ExportResult>(args)).device;
  }

  async unexport(runDirectory: string, snapshot: string): Promise<void> {
    await this.run<Nothing>(["unexport", "--run-dir", runDirectory, "--snapshot", snapshot], UNEXPORTED_WITHIN_MS);
  }

  /** Replaces the engine by this program while the volume is in use; where that is refused, the old one serves on. */
  upgrade(runDirectory: string): Promise<UpgradeResult> {
    return this.run<UpgradeResult>(["upgrade", "--run-dir", runDirectory]);
  }

  probe(): Promise<ProbeResult> {
    return this.run<ProbeResult>(["probe"]);
  }

  private async run<T>(args: string[], timeoutMs?: number): Promise<T> {
    const program = join(this.native, "stillframe-engine");
    const result = await runProgram(program, args, { timeoutMs }).catch((error: unknown) => {
      const message = `the engine program cannot be started (${messageOf(error)}); build native/ first`;
      throw new FaultError("unavailable", message, { cause: error });
    });
    if (result.exitCode !== 0) throw refusal(args[0] ?? "", result);
    return (result.stdout.trim() === "" ? {} : JSON.parse(result.stdout)) as T;
  }
}

function refusal(command: string, result: ProgramResult): FaultError {
  const document = failureIn(result.stdout) ?? failureIn(result.stderr);
  const said = document?.error.message ?? (result.stderr.trim() || `it ended with ${result.exitCode ?? result.signal}`);
  const message = `${command} was refused: ${said}`;
  return document === null ? new FaultError("failed", message) : refusalFault(document.error.kind, message);
}

function failureIn(output: string): FailureDocument | null {
  const line = output.split("\n").find((l) => l.startsWith("{"));
  if (line === undefined) return null;
  try {
    const value = JSON.parse(line) as FailureDocument;
    return typeof value.error?.message === "string" ? value : null;
  } catch {
    return null;
  }
}
