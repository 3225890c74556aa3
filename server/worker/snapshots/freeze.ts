/** Freezes a group of mounted volumes and activates their prepared snapshots, through `stillframe-freeze`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { codedFault, FaultError } from "../fault";

/** Default of ENGINE.md. */
export const FREEZE_DEADLINE_MS = 10_000;

export interface FreezeVolume {
  name: string;
  mount: string;
  socket: string;
  snapshot: string;
}

const timesSchema = z.object({
  name: z.string(),
  takenAt: z.string().nullish(),
  freezeMs: z.number().nullish(),
  thawMs: z.number().nullish(),
});

const answerSchema = z.discriminatedUnion("ok", [
  z.object({
    ok: z.literal(true),
    frozenMs: z.number(),
    spreadMs: z.number(),
    volumes: z.array(timesSchema.extend({ takenAt: z.string() })),
  }),
  z.object({
    ok: z.literal(false),
    kind: z.string(),
    message: z.string(),
    mount: z.string().nullish(),
    volumes: z.array(timesSchema).default([]),
  }),
]);

export interface Frozen {
  frozenMs: number;
  spreadMs: number;
  takenAt: Record<string, string>;
}

/** Takes the snapshots at one instant. All are taken, or none and the reason is thrown. */
export async function freezeGroup(native: string, volumes: FreezeVolume[], signal: AbortSignal): Promise<Frozen> {
  const answer = await ask(join(native, "stillframe-freeze"), { deadlineMs: FREEZE_DEADLINE_MS, volumes }, signal);
  if (answer.ok) {
    const { frozenMs, spreadMs } = answer;
    return { frozenMs, spreadMs, takenAt: Object.fromEntries(answer.volumes.map((v) => [v.name, v.takenAt])) };
  }
  if (answer.kind === "deadline") {
    throw codedFault("failed", "SF-101", answer.message, {
      mounts: answer.volumes.map((v) => ({ name: v.name, freezeMs: v.freezeMs ?? null, thawMs: v.thawMs ?? null })),
      blocked: answer.mount ?? null,
      deadlineMs: FREEZE_DEADLINE_MS,
    });
  }
  throw codedFault("failed", "SF-105", `no snapshot was taken: ${answer.message}`, {
    volume: answer.mount ?? volumes[0]?.name ?? null,
    providers: [{ name: "engine", reason: answer.message }],
  });
}

/**
 * One request line; standard input stays open until the answer, for its end is the helper's order to thaw. So an
 * abort, and the death of this worker, thaw at once.
 */
function ask(program: string, request: unknown, signal: AbortSignal): Promise<z.output<typeof answerSchema>> {
  return new Promise((done, fail) => {
    const child = spawn(program, [], { stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    let err = "";
    const abort = () => child.stdin.end();
    signal.addEventListener("abort", abort);
    child.stdin.on("error", () => {}); // its answer and status say what happened
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (out.includes("\n")) child.stdin.end();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.on("error", (cause) => {
      signal.removeEventListener("abort", abort);
      fail(new FaultError("unavailable", `the freeze program cannot be started: ${cause.message}`, { cause }));
    });
    child.on("close", (status) => {
      signal.removeEventListener("abort", abort);
      const line = out.split("\n").find((l) => l.trim() !== "");
      if (line === undefined) {
        fail(new FaultError("failed", `the freeze program ended with ${status} and no answer: ${err.trim()}`));
      } else {
        done(answerSchema.parse(JSON.parse(line)));
      }
    });
    child.stdin.write(`${JSON.stringify(request)}\n`);
    if (signal.aborted) abort();
  });
}
