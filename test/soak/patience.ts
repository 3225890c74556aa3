/** Requests that are made again when the engine was killed while it answered. */
import { EngineGone, EngineRefused } from "@/server/worker/engine/client";
import {
  type ChangedExtent,
  type ChangesResult,
  ENGINE_PROTOCOL,
  type HelloResult,
  type Report,
} from "@/server/worker/engine/protocol.gen";
import type { AttachedVolume, SnapshotChoice } from "../fixtures/attached-volume";
import { pause } from "../fixtures/native-program";

const PATIENCE_MS = 30_000;

/** Runs an attempt until it does not fail by a killed engine. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof EngineGone) || Date.now() > end) throw error;
      await pause(10);
    }
  }
}

export function hello(volume: AttachedVolume): Promise<HelloResult> {
  return patiently(() => volume.request("hello", { protocol: ENGINE_PROTOCOL }));
}

/** What the engine says of a snapshot. */
export async function reportOf(
  volume: AttachedVolume,
  snapshot: string,
): Promise<Report["snapshots"][number] | undefined> {
  return (await patiently(() => volume.describe())).snapshots.find((one) => one.id === snapshot);
}

async function stateOf(volume: AttachedVolume, snapshot: string): Promise<string | null> {
  return (await reportOf(volume, snapshot))?.state ?? null;
}

/** Offers the live volume for writing and every snapshot over NBD, those that are taken later too. */
export function serveNbd(volume: AttachedVolume): Promise<unknown> {
  return patiently(() => volume.request("serveNbd", { live: "readWrite", allSnapshots: true }));
}

/** Ranges that were written between two snapshots, bytes; null where that is no longer known. */
export async function changesBetween(
  volume: AttachedVolume,
  since: string,
  snapshot: string,
): Promise<ChangedExtent[] | null> {
  const { tracking } = await patiently(() => volume.describe());
  if (!tracking.since.includes(since)) return null;
  const extents: ChangedExtent[] = [];
  for (let offset: number | null = 0; offset !== null; ) {
    const params = { since, snapshot, offset, limit: 100 };
    const told: ChangesResult = await patiently(() => volume.request("changes", params));
    extents.push(...told.extents);
    offset = told.next;
  }
  return extents;
}

/** Prepares a snapshot, whatever an earlier engine did of it. Throws `EngineRefused` where there is no room. */
export function prepare(volume: AttachedVolume, snapshot: string, choice: SnapshotChoice): Promise<void> {
  return patiently(async () => {
    if ((await stateOf(volume, snapshot)) === null) await volume.prepare(snapshot, choice);
  });
}

/** Takes it; a kill on the way costs another attempt. */
export function activate(volume: AttachedVolume, snapshot: string, choice: SnapshotChoice): Promise<void> {
  return patiently(async () => {
    await prepare(volume, snapshot, choice);
    const state = await stateOf(volume, snapshot);
    if (state === null) throw new EngineGone("the engine was killed before it took a prepared snapshot");
    if (state === "prepared") await volume.activate(snapshot);
  });
}

/** Releases it, also where an engine that was killed has done so or has lost it. */
export function release(volume: AttachedVolume, snapshot: string): Promise<void> {
  return patiently(async () => {
    try {
      if ((await stateOf(volume, snapshot)) !== null) await volume.release(snapshot);
    } catch (error) {
      if (!(error instanceof EngineRefused) || error.kind !== "notFound") throw error;
    }
  });
}
