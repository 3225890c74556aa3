/** What a worker does to its host when it comes and when it goes. */
import { messageOf } from "./fault";
import type { Host } from "./host";
import { log } from "./log";
import type { ActiveRuns } from "./runs/active-runs";
import type { KeptSnapshots } from "./snapshots/kept-snapshots";
import { leftJournals } from "./snapshots/undo";
import { attachRecord, repairVolume, suspendVolume } from "./volumes/attach";
import type { KnownVolume } from "./volumes/known-volumes";

/** Attaches and mounts what is known, starts the writers again, and takes back what a killed predecessor left. */
export async function bringUp(host: Host, runs: ActiveRuns, snapshots: KeptSnapshots): Promise<void> {
  await host.known.load();
  for (const record of host.known.all().filter((r) => !r.suspended)) {
    try {
      await attachAgain(host, record);
      if (record.writer) await host.writers.start(record);
    } catch (err) {
      log.error({ err, volume: record.name }, `volume "${record.name}" cannot be attached: ${messageOf(err)}`);
    }
  }
  const journals = await leftJournals(host.places, host.undoer);
  await runs.recover(journals);
  for (const journal of await leftJournals(host.places, host.undoer)) {
    const cleaned = await journal.unwind();
    if (cleaned.length > 0) log.warn({ journal: journal.id, cleaned }, "took back what a killed worker left");
  }
  await snapshots.load();
  await host.caches.removeOrphans();
}

/** Where engine and keeper were killed while the worker was away, the mount is dead and the attach finds it in the way. */
async function attachAgain(host: Host, record: KnownVolume): Promise<void> {
  try {
    const volume = await attachRecord(host.known, host.engine, record);
    await volume.watch.describe();
  } catch (err) {
    log.warn({ err, volume: record.name }, "attaching anew");
    await repairVolume(host.known, host.engine, record);
  }
}

/** Leaves nothing mounted and nothing attached; the records stay for the next start. */
export async function takeDown(host: Host, snapshots: KeptSnapshots): Promise<void> {
  await snapshots.releaseAll();
  for (const { record, watch } of host.known.allAttached()) {
    try {
      await host.writers.stop(record);
      await watch.describe().catch(() => null);
      await suspendVolume(host.known, host.engine, record.name);
    } catch (err) {
      log.error({ err, volume: record.name }, `volume "${record.name}" stays attached: ${messageOf(err)}`);
    }
  }
}
