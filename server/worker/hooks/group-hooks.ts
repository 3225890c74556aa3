/**
 * The hooks around one group's snapshot. In this order: `prepare` to their end; the wait for quiet; the freeze
 * `whileHeld`; `settle`. Whoever calls `prepare` calls `settle`, whatever happens between them.
 *
 * The freeze does not know of hooks. It thaws at the answer, at its deadline and at the end of its own pipe, and nothing
 * in it waits for a program that holds.
 */
import type { RunSpec } from "@/server/core/contracts/job";
import type { FaultError } from "../fault";
import { asFault } from "../fault";
import type { UndoStack } from "../snapshots/undo";
import { type About, hookCalls } from "./hook-calls";
import type { HookOwner } from "./hook-owner";
import { lineTeller, type Say, tellDone, tellWarning } from "./hook-voice";
import { settleOwed } from "./owed-hooks";
import { Hold, type HookCall, runToItsEnd } from "./run-hook";

export class GroupHooks {
  /** The first failure that the job only wants to be warned of, or that came after the snapshot. */
  warning: FaultError | null = null;
  private readonly holds: Hold[] = [];
  private settling: Promise<void> | null = null;
  private readonly say: Say;

  constructor(
    private readonly spec: Pick<RunSpec, "runId" | "jobName" | "mode" | "hooks">,
    private readonly owner: HookOwner,
    private readonly group: number,
    private readonly undo: UndoStack,
    private readonly signal: AbortSignal,
  ) {
    this.say = (level, text, code) => owner.log(level, text, code ?? null);
  }

  /** Runs those before the freeze. Throws the fault of one that must not fail, or the signal's reason. */
  async prepare(about: About): Promise<void> {
    await this.owner.owe(hookCalls(this.spec, "postSnapshot", about));
    const calls = hookCalls(this.spec, "preFreeze", about);
    if (calls.length > 0) await this.owner.phase(this.group, "preparing");
    for (const call of calls) {
      await this.unlessAllowed(call, async () => {
        const tookMs = await runToItsEnd(call, this.hearing(call));
        await tellDone(this.say, call, "ended well after", tookMs);
      });
    }
  }

  /** Where everything is read live there is no snapshot that they could run around. */
  async tellNotRun(): Promise<null> {
    const around = this.spec.hooks.filter(({ at }) => at !== "postRun");
    if (around.length > 0) await this.say("info", "no snapshot is taken, so the hooks around it do not run");
    return null;
  }

  /**
   * Freezes while those that hold do. Throws as `prepare` and `freeze` do, and when one that must have held did not until
   * the instant: then what was taken does not count.
   */
  async whileHeld<T>(about: About, freeze: () => Promise<T>): Promise<T> {
    let notHeld: FaultError | null = null;
    const holding = this.hold(about).then(freeze);
    const frozen = await holding.finally(async () => {
      notHeld = await this.letGo();
    });
    if (notHeld !== null) throw notHeld;
    return frozen;
  }

  /** Starts those that hold, one after the other, and returns when all said that they do and the first still does. */
  private async hold(about: About): Promise<void> {
    const calls = hookCalls(this.spec, "freezeHold", about);
    if (calls.length > 0) await this.owner.phase(this.group, "holding");
    for (const call of calls) {
      await this.unlessAllowed(call, async () => {
        const held = await Hold.take(call, this.hearing(call));
        this.holds.push(held);
        await tellDone(this.say, call, "holds, ready after", held.tookMs);
      });
    }
    for (const held of [...this.holds]) {
      if (await held.holds()) continue;
      this.holds.splice(this.holds.indexOf(held), 1);
      const fault = await this.release(held);
      if (fault !== null) throw fault;
    }
  }

  /** Lets go in reverse. The fault of the first that did not hold until then and must have. Never throws. */
  private async letGo(): Promise<FaultError | null> {
    let first: FaultError | null = null;
    for (let held = this.holds.pop(); held !== undefined; held = this.holds.pop()) {
      const fault = await this.release(held);
      first ??= fault;
    }
    return first;
  }

  /** The fault of one that did not hold until now and must have. */
  private async release(held: Hold): Promise<FaultError | null> {
    const fault = await held.letGo();
    const { call, heldMs } = held;
    if (fault !== null && call.hook.onFailure === "fail") return fault;
    if (fault !== null) await this.warn(fault);
    else await tellDone(this.say, call, "let go, held for", heldMs);
    return null;
  }

  /** Runs those after the snapshot, once, if `prepare` was called. Never throws. */
  settle(outcome: "taken" | "failed" | "stopped", code: string | null): Promise<void> {
    const stopped = this.signal.reason === "interrupted" ? "interrupted" : "cancelled";
    this.settling ??= this.settleOnce(outcome === "stopped" ? stopped : outcome, code);
    return this.settling;
  }

  private async settleOnce(outcome: string, code: string | null): Promise<void> {
    const owed = this.owner.owed("postSnapshot");
    const failed = await settleOwed(owed, {
      undo: this.undo,
      say: this.say,
      outcome,
      code,
      hurried: this.signal.reason === "interrupted",
      onSettled: (one) => this.owner.settled(one),
    });
    this.warning ??= failed;
  }

  private hearing(call: HookCall) {
    return { undo: this.undo, signal: this.signal, onLine: lineTeller(this.say, call) };
  }

  private async unlessAllowed(call: HookCall, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.signal.aborted || call.hook.onFailure === "fail") throw error;
      await this.warn(asFault(error));
    }
  }

  private async warn(fault: FaultError): Promise<void> {
    this.warning ??= fault;
    await tellWarning(this.say, fault, "the snapshot is taken all the same");
  }
}
