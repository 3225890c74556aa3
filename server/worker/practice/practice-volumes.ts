/** Practice volumes: image-backed, attached through the engine, mounted; ordinary volumes to everything else. */
import { access, mkdir, open, rename, rm, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { HostInput } from "@/server/core/contracts/host-methods";
import { formatBytes } from "@/server/core/text/bytes";
import type { EngineProgram } from "../engine/engine-program";
import { FaultError, messageOf } from "../fault";
import { log } from "../log";
import { type Places, practiceMount, volumeId } from "../places";
import { mustRun } from "../programs/run-program";
import { attachRecord, detachVolume, suspendVolume } from "../volumes/attach";
import type { AttachedVolume, KnownVolume, KnownVolumes } from "../volumes/known-volumes";
import type { PracticeWriters } from "./practice-writers";

/** mkfs.xfs makes nothing smaller. */
const SMALLEST_XFS_BYTES = 300 * 1024 * 1024;
/** Left free where the image lies. */
const SPARE_BYTES = 256 * 1024 * 1024;
const IMAGE = "volume.img";

/**
 * How a practice image is formatted: 4 KiB blocks; nothing discarded, so the image stays allocated and a write
 * never waits for the host's allocator; nothing left to be initialised later, so a volume without a writer is quiet.
 */
function formatCommand(fs: "ext4" | "xfs", image: string): [string, string[]] {
  if (fs === "xfs") return ["mkfs.xfs", ["-q", "-K", "-f", "-s", "size=4096", "-b", "size=4096", image]];
  const extended = "nodiscard,lazy_itable_init=0,lazy_journal_init=0";
  return ["mkfs.ext4", ["-q", "-F", "-b", "4096", "-m", "0", "-E", extended, image]];
}

function practiceDirectory(places: Places, name: string): string {
  return join(places.practice, name);
}

/** Where images are made, until a record tells of them. */
const makingDirectory = (places: Places): string => `${places.practice}.new`;

/** At start: images that a killed worker was still making. */
export async function removeUnfinishedImages(places: Places): Promise<void> {
  await rm(makingDirectory(places), { recursive: true, force: true });
}

/** `practice.create`. A failure leaves nothing behind, nor does a worker that is killed over it. */
export async function createPractice(
  known: KnownVolumes,
  engine: EngineProgram,
  writers: PracticeWriters,
  input: HostInput<"practice.create"> & { fs: "ext4" | "xfs"; writer: boolean },
): Promise<AttachedVolume> {
  const { places } = known;
  const { name, fs } = input;
  if (name === "." || name === "..") throw new FaultError("invalid", `"${name}" cannot be a name`, { field: "name" });
  if (known.find(name) !== null) {
    throw new FaultError("conflict", `there is already a volume named "${name}"`, { field: "name" });
  }
  if (fs === "xfs" && input.sizeBytes < SMALLEST_XFS_BYTES) {
    throw new FaultError("invalid", "an xfs file system needs at least 300 MiB", { field: "sizeBytes" });
  }
  const sizeBytes = Math.floor(input.sizeBytes / 4096) * 4096;
  const directory = practiceDirectory(places, name);
  if (await exists(directory)) throw new FaultError("conflict", `${directory} already exists`, { field: "name" });
  const making = join(makingDirectory(places), name);
  const mount = practiceMount(places, name);
  const record: KnownVolume = {
    id: volumeId(name),
    name,
    source: join(directory, IMAGE),
    mount,
    fsType: fs,
    sectorSize: 4096,
    practice: true,
    writer: input.writer,
    remounted: false,
    suspended: false,
    attaching: { foundAt: null },
  };
  try {
    const image = await makeImage(making, sizeBytes);
    await mustRun(...formatCommand(fs, image), { timeoutMs: 600_000 });
    await mkdir(mount, { recursive: true });
    // The record first: a start after this completes what is there, and forgets what is not.
    await known.save(record);
    await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
    await rename(making, directory);
    const volume = await attachRecord(known, engine, record);
    if (input.writer) await writers.start(volume.record);
    return volume;
  } catch (error) {
    if (known.findAttached(name) !== null) await detachVolume(known, engine, name);
    else await known.forget(name);
    await rm(making, { recursive: true, force: true });
    await removeTraces(directory, mount);
    throw error;
  }
}

/** `practice.remove`: stops the writer, unmounts, detaches, deletes the image and the directories. */
export async function removePractice(
  known: KnownVolumes,
  engine: EngineProgram,
  writers: PracticeWriters,
  name: string,
): Promise<void> {
  const record = known.require(name);
  if (!record.practice) {
    throw new FaultError("invalid", `"${name}" is not a practice volume; detach it instead`, { field: "name" });
  }
  await writers.stop(record);
  try {
    await detachVolume(known, engine, name);
  } catch (error) {
    await resumeWriter(writers, record);
    throw error;
  }
  await removeTraces(practiceDirectory(known.places, name), record.mount);
}

/** `volume.detach` of a practice volume: it stays known with its image, to be attached again or removed. */
export async function suspendPractice(
  known: KnownVolumes,
  engine: EngineProgram,
  writers: PracticeWriters,
  record: KnownVolume,
): Promise<void> {
  await writers.stop(record);
  try {
    await suspendVolume(known, engine, record.name);
  } catch (error) {
    await resumeWriter(writers, record);
    throw error;
  }
  await known.save({ ...record, writer: false, suspended: true });
}

/** After a refusal, whose reason counts more than a writer that does not come back. */
async function resumeWriter(writers: PracticeWriters, record: KnownVolume): Promise<void> {
  if (!record.writer) return;
  await writers.start(record).catch((err: unknown) => log.error({ err }, messageOf(err)));
}

/** Allocates the whole image, in a directory of its own. */
async function makeImage(directory: string, sizeBytes: number): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes < sizeBytes + SPARE_BYTES) {
    const message = `${dirname(dirname(directory))} has ${formatBytes(freeBytes)} free, ${formatBytes(sizeBytes)} and some spare are needed`;
    throw new FaultError("invalid", message, { field: "sizeBytes" });
  }
  const image = join(directory, IMAGE);
  await (await open(image, "wx", 0o600)).close();
  await mustRun("fallocate", ["-l", String(sizeBytes), image], { timeoutMs: 600_000 });
  return image;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function removeTraces(directory: string, mount: string | null): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  if (mount !== null) await mustRun("rmdir", ["--ignore-fail-on-non-empty", mount]).catch(() => {});
}
