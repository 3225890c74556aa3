/** Kills an engine and waits for the one that its keeper starts; the live device waits meanwhile. */
import { pause } from "../clock";
import type { AttachedVolume } from "../volumes/known-volumes";
import { EngineGone } from "./client";
import { asEngineFault } from "./unreachable";

const PATIENCE_MS = 10_000;

export async function restartEngine(volume: AttachedVolume): Promise<void> {
  const { watch } = volume;
  const pid = watch.latest?.pid ?? (await watch.describe()).pid;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it is gone already: what is wanted is a new one
  }
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const report = await watch.describe().catch((error: unknown) => error);
    if (!(report instanceof Error) && (report as { pid: number }).pid !== pid) return;
    if (Date.now() > deadline) {
      throw await asEngineFault(volume, report instanceof EngineGone ? report : new EngineGone("no new engine came"));
    }
    await pause(50);
  }
}
