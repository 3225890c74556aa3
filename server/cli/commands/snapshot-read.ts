/** `snapshot read`: a frozen image from beginning to end, as `dd` would read it, with its cache freed behind the reader. */
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import type { Snapshot } from "@/server/core/contracts/volume";
import { formatBytes } from "@/server/core/text/bytes";
import { examples, jsonOption } from "../examples";
import { exitCodes, Failure, usageFailure } from "../failure";
import { copyImage, UnreadableImage } from "../image/copy-image";
import { CopyProgress } from "../image/progress";
import { FileTarget, standardOutput } from "../image/targets";
import { Interruption } from "../interruption";
import { printFacts } from "../output/print";
import { globalOptions, withWorker } from "../session";

interface ReadOptions {
  output?: string;
  freeBehind?: boolean;
  release?: boolean;
}

export function addSnapshotRead(snapshot: Command): void {
  snapshot
    .command("read")
    .description("copy a frozen image, all of the volume in order, to a file or to standard output")
    .argument("<id>", "id of the snapshot")
    .option("--output <file>", "a new file, with holes where the image has zeros (default: standard output)")
    .option("--free-behind", "free the cache of what was read; the snapshot can be read this once, and not be mounted")
    .option("--release", "release the snapshot when all of it was read")
    .option(...jsonOption)
    .addHelpText(
      "after",
      `${examples(
        "stillframe snapshot read 3f2a… --output /backup/alpha.img",
        "stillframe snapshot read 3f2a… --free-behind --release | zstd > /backup/alpha.img.zst",
        "stillframe snapshot read 3f2a… --free-behind | restic -r /backup backup --stdin --stdin-filename alpha.img",
      )}

With --free-behind the cache has to hold only what is written ahead of the reader, not all that is written meanwhile.`,
    )
    .action(readSnapshot);
}

async function readSnapshot(id: string, options: ReadOptions, command: Command): Promise<void> {
  const { json } = globalOptions(command);
  const output = options.output === undefined ? null : resolve(options.output);
  if (output === null && process.stdout.isTTY)
    throw usageFailure("an image is nothing for a terminal: redirect standard output, or give --output FILE");
  if (output === null && json) throw usageFailure("--json goes with --output: standard output is the image");
  const { snapshot, device } = await readable(command, id);
  if (output !== null) await refuseOnVolume(command, snapshot.volume, output);
  const file = output === null ? null : await FileTarget.create(output);
  const target = file ?? standardOutput();
  const interruption = new Interruption();
  const stop = new AbortController();
  interruption.subscribe(() => stop.abort());
  const progress = new CopyProgress(command, id, { freeBehind: options.freeBehind ?? false });
  try {
    const onTaken = (offset: number) => progress.taken(offset);
    const sizeBytes = await copyImage({ device, target, onTaken, signal: stop.signal });
    if (sizeBytes === null) throw new Failure("interrupted", interruption.exitCode ?? exitCodes.interrupted);
    await progress.end(sizeBytes);
    await target.finish();
    if (options.release) await withWorker(command, (worker) => worker.host("snapshot.release", { id }));
    if (file === null || output === null) return;
    const { volume, takenAt } = snapshot;
    const { cacheFreedBytes } = progress;
    const { writtenBytes } = file;
    const released = options.release ?? false;
    const document = { id, volume, takenAt, output, sizeBytes, writtenBytes, cacheFreedBytes, released };
    printFacts(json, document, () => {
      const data = `${formatBytes(sizeBytes)}, ${formatBytes(writtenBytes)} of it not zero`;
      return `${output} is the image of "${volume}" at ${takenAt}: ${data}.`;
    });
  } catch (error) {
    await target.abandon();
    progress.clear();
    throw await explained(command, id, error);
  } finally {
    interruption.dispose();
  }
}

/** The open snapshot and the device that serves it. */
async function readable(command: Command, id: string): Promise<{ snapshot: Snapshot; device: string }> {
  const open = await withWorker(command, (worker) => worker.host("snapshot.list", {}));
  const snapshot = open.find((one) => one.id === id);
  if (snapshot === undefined) throw new Failure(`there is no snapshot "${id}"; stillframe snapshot list shows them`);
  if (snapshot.state !== "active") throw lost(snapshot);
  if (snapshot.passed)
    throw new Failure(`snapshot ${id} was read before, and its cache freed behind the reader: take another`);
  if (snapshot.device === null) throw new Failure(`snapshot ${id} belongs to a run: it cannot be read by hand`);
  return { snapshot, device: snapshot.device };
}

/** Each block of a copy that lands on the volume itself would be kept in the cache for the copy. */
async function refuseOnVolume(command: Command, name: string, output: string): Promise<void> {
  const volumes = await withWorker(command, (worker) => worker.host("volume.list", {}));
  const mount = volumes.find((volume) => volume.name === name)?.mount ?? null;
  const directory = await stat(dirname(output)).catch((error: Error) => {
    throw usageFailure(`--output: ${error.message}`);
  });
  if (mount !== null && (await stat(mount).catch(() => null))?.dev === directory.dev)
    throw usageFailure(`--output: ${output} lies on the volume "${name}" itself; name a file on another`);
}

/** A snapshot that was lost meanwhile shows first as a device that cannot be read, or an engine that refuses. */
async function explained(command: Command, id: string, error: unknown): Promise<unknown> {
  const mayBeLost =
    error instanceof UnreadableImage || (error instanceof Failure && error.exitCode === exitCodes.failed);
  if (!mayBeLost) return error;
  const open = await withWorker(command, (worker) => worker.host("snapshot.list", {})).catch(() => []);
  const snapshot = open.find((one) => one.id === id);
  if (snapshot !== undefined && snapshot.state !== "active") return lost(snapshot);
  return error instanceof UnreadableImage ? new Failure(`the image could not be read: ${error.message}`) : error;
}

function lost({ id, volume, state, cacheMaxBytes }: Snapshot): Failure {
  if (state === "damaged")
    return new Failure(`snapshot ${id} of "${volume}" is lost: its cache could not be read back`, 1, "SF-102");
  const full = `its cache of ${formatBytes(cacheMaxBytes)} was full`;
  return new Failure(`snapshot ${id} of "${volume}" is lost: ${full}, and the volume's writes went on`, 1, "a000851c");
}
