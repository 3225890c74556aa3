/** Freezes a group of mounted volumes and activates their prepared snapshots, through `stillframe-freeze`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { engineSilent } from "../engine/unreachable";
import { codedFault, FaultError } from "../fault";
import type { AttachedVolume } from "../volumes/known-volumes";

/** Defaults of ENGINE.md: the freeze itself, and the writing back of dirty pages before it. */
const FREEZE_DEADLINE_MS = 10_000;
const SYNC_LIMIT_MS = 30_000;
/** What the freeze program may take beside: it asks the engines before, and answers a second after the deadline. */
const SPARE_MS = 30_000;
/** From the order to end until the answer; and from the answer until the program's end is not waited for any more. */
const END_WITHIN_MS = 5000;
const CLOSE_WITHIN_MS = 500;

/** A mounted volume, and its prepared snapshot. */
export interface FreezeMember {
  volume: AttachedVolume;
  snapshot: string;
  /** Where it is frozen: any mount point of its file system. */
  mount: string;
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
type Answer = z.output<typeof answerSchema>;

export interface Frozen {
  frozenMs: number;
  spreadMs: number;
  takenAt: Record<string, string>;
}

/** Takes the snapshots at one instant. All are taken, or none and the reason is thrown. */
export async function freezeGroup(native: string, members: FreezeMember[], signal: AbortSignal): Promise<Frozen> {
  const volumes = members.map(({ volume: { record, runDirectory }, snapshot, mount }) => ({
    name: record.name,
    mount,
    socket: join(runDirectory, "engine.sock"),
    snapshot,
  }));
  const request = { deadlineMs: FREEZE_DEADLINE_MS, syncMs: SYNC_LIMIT_MS, volumes };
  const answer = await ask(join(native, "stillframe-freeze"), request, signal);
  if (answer.ok) {
    const { frozenMs, spreadMs } = answer;
    return { frozenMs, spreadMs, takenAt: Object.fromEntries(answer.volumes.map((v) => [v.name, v.takenAt])) };
  }
  throw await reasonOf(answer, members, signal);
}

/** An engine that does not answer is the cause of whatever else it led to before the freeze. */
async function reasonOf(
  answer: Answer & { ok: false },
  members: FreezeMember[],
  signal: AbortSignal,
): Promise<FaultError> {
  const { kind, message, mount } = answer;
  const volume = members.find((m) => m.volume.record.name === mount)?.volume;
  if (volume !== undefined && !signal.aborted && (kind === "sync" || kind === "activate")) {
    const silent = await engineSilent(volume, message);
    if (silent !== null) return silent;
  }
  if (kind === "deadline" || kind === "sync") {
    return codedFault("failed", "SF-101", message, {
      mounts: answer.volumes.map((v) => ({ name: v.name, freezeMs: v.freezeMs ?? null, thawMs: v.thawMs ?? null })),
      blocked: mount ?? null,
      deadlineMs: kind === "sync" ? SYNC_LIMIT_MS : FREEZE_DEADLINE_MS,
    });
  }
  return codedFault("failed", "SF-105", `no snapshot was taken: ${message}`, {
    volume: mount ?? members[0]?.volume.record.name ?? null,
    providers: [{ name: "engine", reason: message }],
  });
}

/**
 * One request line; standard input stays open until the answer, for its end is the helper's order to thaw. So an
 * abort, and the death of this worker, thaw at once.
 *
 * The answer settles it. The program's end is waited for only a moment: it may have to stay for as long as the
 * kernel holds on to a volume whose engine hangs.
 */
function ask(program: string, request: unknown, signal: AbortSignal): Promise<Answer> {
  return new Promise((done, fail) => {
    const child = spawn(program, [], { stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    let err = "";
    let status: number | null = null;
    let timer = setTimeout(() => abort(), FREEZE_DEADLINE_MS + SYNC_LIMIT_MS + SPARE_MS);
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      child.removeAllListeners("close").unref();
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      const line = out.includes("\n") ? out.slice(0, out.indexOf("\n")) : null;
      if (line === null) {
        fail(new FaultError("failed", `the freeze program ended with ${status} and no answer: ${err.trim()}`));
      } else {
        const answer = answerSchema.safeParse(parsed(line));
        if (answer.success) done(answer.data);
        else fail(new FaultError("internal", `the freeze program's answer makes no sense: ${line}`));
      }
    };
    const settleWithin = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(settle, ms);
    };
    const abort = () => {
      child.stdin.end();
      settleWithin(END_WITHIN_MS);
    };
    signal.addEventListener("abort", abort);
    child.stdin.on("error", () => {}); // its answer and status say what happened
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (!out.includes("\n")) return;
      child.stdin.end();
      settleWithin(CLOSE_WITHIN_MS);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.on("error", (cause) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      fail(new FaultError("unavailable", `the freeze program cannot be started: ${cause.message}`, { cause }));
    });
    child.on("close", (code) => {
      status = code;
      settle();
    });
    child.stdin.write(`${JSON.stringify(request)}\n`);
    if (signal.aborted) abort();
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
