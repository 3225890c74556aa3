/** The engine's self-test: a small volume, a snapshot, every block overwritten, and the image still as it was. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineClient } from "../engine/client";
import type { Host } from "../host";
import { engineDirectory } from "../places";
import { releaseSnapshot } from "../snapshots/undo-steps";

const SIZE = 8 * 1024 * 1024;
const SNAPSHOT = "self-test";

/** What was shown, as a sentence; throws with the step that failed. */
export async function selfTest(host: Host): Promise<string> {
  const id = `self-test-${randomBytes(4).toString("hex")}`;
  const directory = join(host.places.home, "worker", id);
  const backing = join(directory, "volume.img");
  const runDirectory = engineDirectory(host.places, id);
  const begun = Date.now();
  await mkdir(join(directory, "cache"), { recursive: true, mode: 0o700 });
  try {
    const before = randomBytes(SIZE);
    await writeAll(backing, before);
    const { device, socket } = await host.engine.attach({ id, backing, runDirectory, sectorSize: 4096 });
    const client = await EngineClient.open(socket);
    try {
      await client.request("prepare", {
        snapshot: SNAPSHOT,
        cache: { directory: join(directory, "cache"), initialBytes: SIZE, maxBytes: 2 * SIZE },
        whenFull: "release",
        holdMs: 0,
        skipFreeBlocks: false,
      });
      await client.request("activate", { snapshot: SNAPSHOT });
    } finally {
      client.close();
    }
    const after = randomBytes(SIZE);
    await writeAll(device, after);
    const frozen = await host.engine.export(runDirectory, SNAPSHOT);
    if ((await hashOf(frozen)) !== sha256(before)) throw new Error("the frozen image changed with the live volume");
    if ((await hashOf(device)) !== sha256(after)) throw new Error("the live volume did not keep what was written");
    return `a frozen image stayed as it was while all ${SIZE / 1024 / 1024} MiB of its volume were overwritten (${Date.now() - begun} ms)`;
  } finally {
    await host.engine.unexport(runDirectory, SNAPSHOT).catch(() => {});
    await releaseSnapshot(runDirectory, SNAPSHOT).catch(() => {});
    await host.engine.detach(runDirectory, { force: true }).catch(() => {});
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeAll(path: string, content: Buffer): Promise<void> {
  const file = await open(path, path.startsWith("/dev/") ? "r+" : "w");
  try {
    await file.write(content, 0, content.length, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function hashOf(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const content = Buffer.alloc(SIZE);
    for (let at = 0; at < SIZE; ) {
      const { bytesRead } = await file.read(content, at, SIZE - at, at);
      if (bytesRead === 0) throw new Error(`${path} is shorter than it should be`);
      at += bytesRead;
    }
    return sha256(content);
  } finally {
    await file.close();
  }
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
