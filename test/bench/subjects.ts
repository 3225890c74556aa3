/** What is compared: the same backing file as a device in several ways. Each is set up for one run and taken away. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { EngineClient } from "@/server/worker/engine/client";
import type { AttachResult } from "@/server/worker/engine/protocol.gen";
import { mustRun } from "@/server/worker/programs/run-program";
import { hashOf } from "../fixtures/device-hash";
import { mustEngineCommand } from "../fixtures/native-program";

export interface Place {
  backing: string;
  bytes: number;
  /** For the engine's run directory and caches. */
  directory: string;
}

export interface Device {
  path: string;
  /** Bytes that the open snapshot's cache holds; null without one. */
  cacheUsed(): Promise<number | null>;
  /** Throws when the open snapshot's image is not what it was. */
  checkImage(): Promise<void>;
}

export interface Subject {
  name: string;
  /** Whether it differs from the one before only in what a write costs. */
  writesOnly: boolean;
  use(place: Place, run: (device: Device) => Promise<void>): Promise<void>;
}

async function rawLoop(place: Place, run: (device: Device) => Promise<void>): Promise<void> {
  const args = ["--find", "--show", "--direct-io=on", "--sector-size", "4096", place.backing];
  const path = (await mustRun("losetup", args)).trim();
  try {
    await run({ path, cacheUsed: async () => null, checkImage: async () => {} });
  } finally {
    await mustRun("losetup", ["--detach", path]);
  }
}

async function withEngine(
  place: Place,
  run: (attached: AttachResult, client: EngineClient, runDirectory: string) => Promise<void>,
): Promise<void> {
  const runDirectory = join(place.directory, "run");
  const where = ["--run-dir", runDirectory];
  try {
    const what = ["--id", "bench", "--backing", place.backing, "--sector-size", "4096"];
    const attached = await mustEngineCommand<AttachResult>("attach", ...what, ...where);
    const client = await EngineClient.open(attached.socket);
    try {
      await run(attached, client, runDirectory);
    } finally {
      client.close();
    }
  } finally {
    await mustEngineCommand("detach", ...where, "--force");
  }
}

async function withSnapshot(place: Place, prefill: boolean, run: (device: Device) => Promise<void>): Promise<void> {
  await withEngine(place, async (attached, client, runDirectory) => {
    const directory = join(place.directory, "cache");
    await mkdir(directory, { recursive: true });
    await client.request("prepare", {
      snapshot: "s1",
      cache: { directory, initialBytes: place.bytes, maxBytes: 2 * place.bytes },
      whenFull: "release",
      holdMs: 0,
      skipFreeBlocks: false,
    });
    await client.request("activate", { snapshot: "s1" });
    const before = await hashOf(place.backing);
    if (prefill) {
      const fill = [`of=${attached.device}`, "if=/dev/zero", "bs=4M", `count=${place.bytes / 4 / 1024 / 1024}`];
      await mustRun("dd", [...fill, "oflag=direct", "status=none"]);
    }
    await run({
      path: attached.device,
      cacheUsed: async () => (await client.request("describe", {})).cache.usedBytes,
      checkImage: async () => {
        const where = ["--run-dir", runDirectory, "--snapshot", "s1"];
        const image = await mustEngineCommand<{ device: string }>("export", ...where);
        const after = await hashOf(image.device);
        await mustEngineCommand("unexport", ...where);
        if (after !== before) throw new Error("the frozen image changed");
      },
    });
    await client.request("release", { snapshot: "s1" });
  });
}

export const subjects: Subject[] = [
  { name: "raw loop", writesOnly: false, use: rawLoop },
  {
    name: "engine",
    writesOnly: false,
    use: (place, run) =>
      withEngine(place, (attached) =>
        run({ path: attached.device, cacheUsed: async () => null, checkImage: async () => {} }),
      ),
  },
  { name: "first writes", writesOnly: true, use: (place, run) => withSnapshot(place, false, run) },
  { name: "second writes", writesOnly: true, use: (place, run) => withSnapshot(place, true, run) },
];
