/** The runs that are on: start, cancel, and what becomes of them when the worker ends or has been killed. */
import { hookMoments } from "@/server/core/contracts/hooks";
import type { RunSpec } from "@/server/core/contracts/job";
import type { Outcome, RunEvent } from "@/server/core/contracts/run";
import { hookPhrase } from "@/server/core/hooks/hook-words";
import { groupsOf } from "@/server/core/planning/groups";
import { inWords } from "@/server/core/runs/phase-words";
import { now } from "../clock";
import { FaultError, messageOf } from "../fault";
import { type About, aboutVolumes, hookCalls } from "../hooks/hook-calls";
import { settleOwed } from "../hooks/owed-hooks";
import type { Host } from "../host";
import { log } from "../log";
import { leftJournals, UndoStack } from "../snapshots/undo";
import { GroupCarrier, type GroupOutcome } from "./carry-group";
import { retain } from "./retain";
import { dropJournal, groupUndoId, isUndoOf, keepJournal, leftRunJournals, type RunJournal } from "./run-journal";
import { type EmitEvent, RunVoice } from "./run-voice";

type Stop = "cancelled" | "interrupted";

interface ActiveRun {
  spec: RunSpec;
  stop: AbortController;
  /** Everything of the run is released, only its end remains to be stored and told: its volumes are free. */
  released: boolean;
  ended: Promise<void>;
}

export class ActiveRuns {
  private readonly active = new Map<string, ActiveRun>();
  private closing = false;

  constructor(
    private readonly host: Host,
    private readonly emit: EmitEvent,
  ) {}

  ids(): string[] {
    return [...this.active.keys()];
  }

  /** Volumes that runs are at. */
  volumes(): Set<string> {
    return new Set(this.atVolumes().flatMap((r) => r.spec.selection.volumes));
  }

  /** `run.start`: returns when the run has begun. Refuses a volume that another run is at. */
  start(spec: RunSpec): void {
    if (this.closing) throw new FaultError("busy", "the worker is stopping");
    if (this.active.has(spec.runId)) throw new FaultError("conflict", `run ${spec.runId} is on already`);
    this.host.known.refuseLeaving(spec.selection.volumes, "selection.volumes");
    for (const other of this.atVolumes()) {
      const shared = spec.selection.volumes.find((v) => other.spec.selection.volumes.includes(v));
      if (shared === undefined) continue;
      const { jobName, runId } = other.spec;
      throw new FaultError("conflict", `volume "${shared}" is being backed up by job "${jobName}" (run ${runId})`, {
        field: "selection.volumes",
      });
    }
    const run: ActiveRun = { spec, stop: new AbortController(), released: false, ended: Promise.resolve() };
    this.active.set(spec.runId, run);
    const voice = new RunVoice(this.host.places, spec, this.emit);
    run.ended = this.carry(run, voice)
      .catch((err: unknown) => this.breakOff(run, voice, err))
      .catch((err: unknown) => log.error({ err, run: spec.runId }, "a run ended without saying how"))
      .finally(() => this.active.delete(spec.runId));
  }

  /** `run.cancel`: resolves when everything of the run is released. */
  async cancel(runId: string): Promise<void> {
    const run = this.active.get(runId);
    if (run === undefined) throw new FaultError("notFound", `run ${runId} is not on`);
    run.stop.abort("cancelled" satisfies Stop);
    await run.ended;
  }

  /** Ends all runs as interrupted and waits until everything is released. */
  async interruptAll(): Promise<void> {
    this.closing = true;
    const runs = [...this.active.values()];
    for (const run of runs) run.stop.abort("interrupted" satisfies Stop);
    await Promise.all(runs.map((r) => r.ended));
  }

  /** Ends the runs of a killed predecessor: takes back what they left and says so. */
  async recover(journals: UndoStack[]): Promise<void> {
    for (const run of await leftRunJournals(this.host.places)) {
      const cleaned: string[] = [];
      for (const undo of journals.filter((j) => isUndoOf(j.id, run.runId))) cleaned.push(...(await undo.unwind()));
      if (run.ending !== null) await this.emit(run.runId, run.ending);
      else {
        cleaned.push(...(await this.settleLeft(run)));
        await this.emitInterrupted(run.runId, run.phase, cleaned);
      }
      await dropJournal(this.host.places, run.runId);
      log.warn({ run: run.runId, phase: run.phase, cleaned }, "ended a run that a killed worker left");
    }
  }

  /** Runs the hooks that a killed worker's run still owes, in a hurry; says which, in words. */
  private async settleLeft({ runId, owed, phase, jobName }: RunJournal): Promise<string[]> {
    const { places, undoer } = this.host;
    const undo = new UndoStack(places, groupUndoId(runId, owed.length), undoer);
    let left = owed;
    const inOrder = [...owed].sort((a, b) => hookMoments.indexOf(a.hook.at) - hookMoments.indexOf(b.hook.at));
    await settleOwed(inOrder, {
      undo,
      say: (level, text, code) => this.emit(runId, { type: "log", at: now(), level, text, code: code ?? null }),
      outcome: "interrupted",
      code: "SF-106",
      hurried: true,
      onSettled: async (one) => {
        left = left.filter((other) => other !== one);
        await keepJournal(places, { runId, jobName, phase, ending: null, owed: left });
      },
    });
    await undo.unwind();
    return inOrder.map(({ hook, label }) => `made up for ${hookPhrase(hook.at, label)}: the log says how it went`);
  }

  private async emitInterrupted(runId: string, lastPhase: string, cleaned: string[]): Promise<void> {
    const message = `the worker was restarted during the run, while ${inWords(lastPhase)}`;
    const failure: RunEvent = {
      type: "failure",
      at: now(),
      code: "SF-106",
      volume: null,
      message,
      evidence: { lastPhase, cleaned },
    };
    await this.emit(runId, failure);
    await this.emit(runId, { type: "ended", at: now(), outcome: "interrupted", code: "SF-106" });
  }

  private atVolumes(): ActiveRun[] {
    return [...this.active.values()].filter((r) => !r.released);
  }

  private async carry(run: ActiveRun, voice: RunVoice): Promise<void> {
    const { spec } = run;
    const { signal } = run.stop;
    const groups = groupsOf(spec.mode, spec.selection.volumes);
    await voice.owe(hookCalls(spec, "postRun", await this.about(spec)));
    await voice.open(groups);
    const outcomes: GroupOutcome[] = [];
    let lastPhase = "queued";
    for (const [index, names] of groups.entries()) {
      if (signal.aborted) break;
      const carrier = new GroupCarrier(this.host, spec, voice, index, names, signal);
      signal.addEventListener("abort", () => (lastPhase = voice.run.state), { once: true });
      outcomes.push(await carrier.carry());
    }
    await tellInstants(voice);
    const well = overall(outcomes, signal) === "succeeded";
    const retained = !well || (await retain(this.host, spec, voice, groups.length, signal));
    if (signal.aborted && signal.reason === "interrupted") {
      const cleaned = outcomes.flatMap((o) => o.cleaned);
      const message = `the worker was stopped during the run, while ${inWords(lastPhase)}`;
      await voice.say({ type: "failure", code: "SF-106", volume: null, message, evidence: { lastPhase, cleaned } });
    }
    const final = overall(outcomes, signal);
    const outcome = retained ? final : "warnings";
    const settled = await this.settleAtEnd(run, voice, outcome, groups.length + 1);
    // Before anybody hears of the end: whoever starts the next run at once must not be told that this one is on.
    run.released = true;
    await voice.say({
      type: "ended",
      outcome: settled || outcome !== "succeeded" ? outcome : "warnings",
      code: voice.run.code,
    });
  }

  /** The end of a run in which something was thrown that nothing foresaw: what it holds is taken back, and it is told. */
  private async breakOff(run: ActiveRun, voice: RunVoice, thrown: unknown): Promise<void> {
    const { runId, mode, selection } = run.spec;
    const lastPhase = voice.run.state;
    log.error({ err: thrown, run: runId, phase: lastPhase }, "a run met an error that nothing foresaw");
    const cleaned: string[] = [];
    const { places, undoer } = this.host;
    for (const undo of (await leftJournals(places, undoer)).filter((j) => isUndoOf(j.id, runId))) {
      cleaned.push(...(await undo.unwind()));
    }
    const error = messageOf(thrown);
    const message = `the worker met an unforeseen error while ${inWords(lastPhase)}: ${error}`;
    const evidence = { lastPhase, cleaned, error };
    await voice.say({ type: "failure", code: "SF-106", volume: null, message, evidence });
    await this.settleAtEnd(run, voice, "failed", groupsOf(mode, selection.volumes).length + 1);
    run.released = true;
    await voice.say({ type: "ended", outcome: "failed", code: voice.run.code });
  }

  /** False when a hook that the run still owed failed. `group`: a number that no group of the run has. */
  private async settleAtEnd(run: ActiveRun, voice: RunVoice, outcome: Outcome, group: number): Promise<boolean> {
    const undo = new UndoStack(this.host.places, groupUndoId(run.spec.runId, group), this.host.undoer);
    const failed = await settleOwed([...voice.owed("postSnapshot"), ...voice.owed("postRun")], {
      undo,
      say: (level, text, code) => voice.log(level, text, code ?? null),
      outcome,
      code: voice.run.code,
      hurried: run.stop.signal.reason === "interrupted",
      onSettled: (one) => voice.settled(one),
    });
    await undo.unwind();
    return failed === null;
  }

  private async about({ selection: { volumes } }: RunSpec): Promise<About> {
    const { mounts } = await aboutVolumes(volumes.flatMap((name) => this.host.known.findAttached(name) ?? []));
    return { volumes, mounts };
  }
}

/** Volumes that were frozen one after the other do not belong to one instant; whoever restores them should know. */
async function tellInstants(voice: RunVoice): Promise<void> {
  const instants = voice.run.volumes.flatMap((v) => (v.takenAt === null ? [] : [Date.parse(v.takenAt)]));
  if (voice.run.mode !== "oneAtATime" || instants.length < 2) return;
  const seconds = ((Math.max(...instants) - Math.min(...instants)) / 1000).toFixed(1);
  await voice.log("info", `one at a time: the volumes were frozen at different instants, ${seconds} s apart`);
}

function overall(outcomes: GroupOutcome[], signal: AbortSignal): Outcome {
  const all = outcomes.map((o) => o.outcome);
  if (signal.aborted) return signal.reason === "interrupted" ? "interrupted" : "cancelled";
  if (all.includes("failed")) return "failed";
  return all.includes("warnings") ? "warnings" : "succeeded";
}
