/** The JSON documents that scripts rely on: their keys are a promise, whatever the contracts add. */
import type { Run, VolumeResult } from "@/server/core/contracts/run";
import type { Snapshot, Volume } from "@/server/core/contracts/volume";

export function volumeDocument(volume: Volume) {
  const { name, mount, device, source, fsType, sizeBytes, usedBytes, provider, state } = volume;
  const { transport = null, notUblkBecause = null } = volume;
  return { name, mount, device, source, fsType, sizeBytes, usedBytes, provider, state, transport, notUblkBecause };
}

export function createdSnapshotDocument(snapshot: Snapshot) {
  const { id, volume, provider, takenAt, device, cacheLocation, cacheMaxBytes } = snapshot;
  return { id, volume, provider, takenAt, device, cacheLocation, cacheMaxBytes };
}

export function snapshotDocument(snapshot: Snapshot) {
  const { group, state, cacheUsedBytes, preservedBlocks, skippedFreeBlocks, passed } = snapshot;
  const used = { cacheUsedBytes, preservedBlocks, skippedFreeBlocks };
  return { ...createdSnapshotDocument(snapshot), group, state, ...used, passed };
}

function resultDocument(volume: VolumeResult) {
  const { name, provider, takenAt, quiet = null, state, code, cacheUsedBytes, bytesRead } = volume;
  return { name, provider, takenAt, quiet, state, code, cacheUsedBytes, bytesRead };
}

export function runDocument(run: Run) {
  const { id, job, mode, state, code, startedAt, endedAt, volumes } = run;
  return { id, job: job.name, mode, state, code, startedAt, endedAt, volumes: volumes.map(resultDocument) };
}
