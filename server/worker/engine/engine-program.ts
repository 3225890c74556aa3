/** The engine's command line: attach, detach, export, unexport, probe. Facts come as one JSON document. */
import { join } from "node:path";
import { z } from "zod";
import { FaultError, messageOf } from "../fault";
import { runProgram } from "../programs/run-program";

const attachedSchema = z.object({
  id: z.string(),
  device: z.string(),
  socket: z.string(),
  keeperPid: z.number(),
  sizeBytes: z.number(),
  sectorSize: z.number(),
  transport: z.string(),
});
export type Attached = z.infer<typeof attachedSchema>;

export class EngineProgram {
  constructor(private readonly native: string) {}

  /** Idempotent: an engine that serves the volume already is described. */
  attach(volume: { id: string; backing: string; runDirectory: string; sectorSize: number }): Promise<Attached> {
    const { id, backing, runDirectory, sectorSize } = volume;
    const args = ["attach", "--id", id, "--backing", backing, "--run-dir", runDirectory];
    return this.run([...args, "--sector-size", String(sectorSize)], attachedSchema);
  }

  async detach(runDirectory: string, how: { force?: boolean } = {}): Promise<void> {
    await this.run(["detach", "--run-dir", runDirectory, ...(how.force ? ["--force"] : [])], z.unknown());
  }

  /** The loop device that serves a snapshot's frozen image, read-only. Idempotent. */
  async export(runDirectory: string, snapshot: string): Promise<string> {
    const args = ["export", "--run-dir", runDirectory, "--snapshot", snapshot];
    return (await this.run(args, z.object({ device: z.string() }))).device;
  }

  async unexport(runDirectory: string, snapshot: string): Promise<void> {
    await this.run(["unexport", "--run-dir", runDirectory, "--snapshot", snapshot], z.unknown());
  }

  probe(): Promise<Record<string, unknown>> {
    return this.run(["probe"], z.record(z.string(), z.unknown()));
  }

  private async run<S extends z.ZodType>(args: string[], schema: S): Promise<z.output<S>> {
    const program = join(this.native, "stillframe-engine");
    const result = await runProgram(program, args).catch((error: unknown) => {
      const message = `the engine program cannot be started (${messageOf(error)}); build native/ first`;
      throw new FaultError("unavailable", message, { cause: error });
    });
    if (result.exitCode !== 0) {
      throw refusal(args[0] ?? "", result.stderr.trim() || `it ended with ${result.exitCode ?? result.signal}`);
    }
    return schema.parse(result.stdout.trim() === "" ? {} : JSON.parse(result.stdout));
  }
}

/** Words of the engine's errors that tell the kind of fault. */
const kinds: [RegExp, FaultError["kind"]][] = [
  [/busy|mounted|in use|already|locked/i, "conflict"],
  [/not found|no such/i, "notFound"],
  [/too small|invalid|not a /i, "invalid"],
];

function refusal(command: string, said: string): FaultError {
  const kind = kinds.find(([words]) => words.test(said))?.[1] ?? "failed";
  return new FaultError(kind, `the engine refused to ${command}: ${said}`);
}
