/** Brings an engine back: a new one by its keeper, or, where the keeper is gone too, engine and mount from the ground. */
import { monotonicMs, pause } from "../clock";
import type { Host } from "../host";
import { log } from "../log";
import { childrenOf, signal } from "../programs/processes";
import { attachRecord, repairVolume } from "../volumes/attach";
import { isUblk } from "../volumes/block-device";
import type { AttachedVolume } from "../volumes/known-volumes";
import { EngineGone } from "./client";
import { asEngineFault } from "./engine-fault";
import { livingKeeper } from "./keeper";
import { engineSilent } from "./unreachable";

const PATIENCE_MS = 10_000;

/**
 * `engine.restart`: the live device waits meanwhile; only a repair unmounts it for a moment. An engine that answers
 * hands over to its successor as in an upgrade; one that does not, or that cannot hand over, is killed.
 */
export async function restartEngine(host: Host, volume: AttachedVolume): Promise<void> {
  const { record } = volume;
  if ((await livingKeeper(volume.runDirectory)) !== null) {
    if ((await engineSilent(volume, "")) === null && (await handsOver(host, volume))) return;
    return killEngine(volume);
  }
  log.warn({ volume: record.name }, "the keeper is gone; attaching the volume anew");
  await host.writers.stop(record);
  await repairVolume(host.known, host.engine, record);
  if (record.writer) await host.writers.start(record);
}

/**
 * A ublk device whose keeper and engines are all gone waits, and with it whoever uses it: it is taken up again without
 * being asked. True where that was so.
 */
export async function takeUpWaiting(host: Host, volume: AttachedVolume): Promise<boolean> {
  const { record, device } = volume;
  if (host.known.findAttached(record.name) !== volume || !isUblk(device)) return false;
  if ((await livingKeeper(volume.runDirectory)) !== null) return false;
  log.warn({ volume: record.name }, "keeper and engines are gone; taking the waiting device up again");
  await attachRecord(host.known, host.engine, record);
  return true;
}

async function handsOver(host: Host, { record, runDirectory }: AttachedVolume): Promise<boolean> {
  try {
    await host.engine.upgrade(runDirectory);
    return true;
  } catch (err) {
    log.warn({ err, volume: record.name }, "the engine does not hand over; it is killed");
    return false;
  }
}

/** Kills the engine and waits for the one that its keeper starts. */
async function killEngine(volume: AttachedVolume): Promise<void> {
  const { watch } = volume;
  const serving = await watch.describe().catch(() => null);
  // Which one hangs cannot be told from outside: the one that stands by goes too.
  const killed = serving === null ? await enginesOf(volume) : [serving.pid];
  for (const pid of killed) signal(pid, "SIGKILL");
  const deadline = monotonicMs() + PATIENCE_MS;
  for (;;) {
    const report = await watch.describe().catch(() => null);
    if (report !== null && !killed.includes(report.pid)) return;
    if (monotonicMs() > deadline) throw await asEngineFault(volume, new EngineGone("no new engine came"));
    await pause(50);
  }
}

async function enginesOf({ runDirectory }: AttachedVolume): Promise<number[]> {
  const keeper = await livingKeeper(runDirectory);
  return keeper === null ? [] : childrenOf(keeper);
}
