/** What a worker does to its host when it comes and when it goes. */
import { rm } from "node:fs/promises";
import { messageOf } from "./fault";
import { RequestHooks } from "./hooks/request-hooks";
import type { Host } from "./host";
import { log } from "./log";
import { removeUnfinishedImages } from "./practice/practice-volumes";
import type { ActiveRuns } from "./runs/active-runs";
import type { KeptSnapshots } from "./snapshots/kept-snapshots";
import { leftJournals, retryStuck } from "./snapshots/undo";
import { removeUnfinished } from "./state/json-file";
import { reattachVolume, returnVolume } from "./volumes/attach";

/**
 * Takes back what a killed predecessor left, then attaches and mounts what is known and starts the writers again. In
 * this order, because what is left may hold a volume that must be repaired; engines outlive workers, so most of it can
 * be released before anything is attached, and the rest afterwards.
 */
export async function bringUp(host: Host, runs: ActiveRuns, snapshots: KeptSnapshots): Promise<void> {
  const { volumes, snapshots: kept, undo, runs: journals, owed, writers, secrets } = host.places;
  for (const directory of [volumes, kept, undo, journals, owed, writers]) await removeUnfinished(directory);
  await removeUnfinishedImages(host.places);
  await host.known.load();
  await runs.recover(await leftJournals(host.places, host.undoer));
  for (const journal of await leftJournals(host.places, host.undoer)) {
    const cleaned = await journal.unwind();
    if (cleaned.length > 0) log.warn({ journal: journal.id, cleaned }, "took back what a killed worker left");
  }
  await RequestHooks.recover(host);
  await rm(secrets, { recursive: true, force: true });
  for (const record of host.known.all().filter((r) => !r.suspended)) {
    try {
      await reattachVolume(host.known, host.engine, record);
    } catch (err) {
      log.error({ err, volume: record.name }, `volume "${record.name}" cannot be attached: ${messageOf(err)}`);
      continue;
    }
    if (record.writer) await host.writers.start(record).catch((err: unknown) => log.error({ err }, messageOf(err)));
  }
  await retryStuck();
  await snapshots.load();
  await host.caches.removeOrphans();
}

/** Leaves nothing attached, and nothing mounted that it found unmounted; the records stay for the next start. */
export async function takeDown(host: Host, snapshots: KeptSnapshots): Promise<void> {
  await snapshots.releaseAll();
  for (const { record } of host.known.allAttached()) {
    try {
      await host.writers.stop(record);
      await returnVolume(host.known, host.engine, record);
    } catch (err) {
      log.error({ err, volume: record.name }, `volume "${record.name}" stays attached: ${messageOf(err)}`);
    }
  }
}
