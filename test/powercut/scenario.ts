/** One machine whose power is cut: what lies beneath and above the attached volume, and the script that it runs. */
import { copyFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ENGINE_PROTOCOL } from "@/server/worker/engine/protocol.gen";
import { nativeDirectory, nativeProgram } from "../fixtures/native-program";
import { runMachine } from "../uml/boot";

const MIB = 1024 * 1024;

export interface Scenario {
  name: string;
  /** On the live device; `none`: the writer overwrites the device itself. */
  fileSystem: "ext4" | "xfs" | "none";
  /** The backing store: the logged device itself, or an image file in an ext4 on it. */
  backing: "device" | "image";
  /** Whether snapshots are open, one replacing the other. */
  snapshots: boolean;
  seconds: number;
  /** Whether flushes get lost between the engine and the backing store while records are written: this must be found. */
  flushesLost?: boolean;
}

export interface Recorded {
  /** The log of all writes, and how large the device was. */
  log: string;
  deviceBytes: number;
  preservedBlocks: number;
}

/** The smallest that mkfs makes without complaint, and room for an ext4 around an image. */
const volumeBytes = { none: 32 * MIB, ext4: 96 * MIB, xfs: 320 * MIB };
const outerBytes = 64 * MIB;

/** Runs it in `directory`, which must be empty. Throws what the machine said when its script failed. */
export async function record(scenario: Scenario, directory: string, interrupted?: AbortSignal): Promise<Recorded> {
  await copyFile(nativeProgram("stillframe-engine"), join(directory, "engine"));
  await copyFile(join(nativeDirectory, "powercut-writer"), join(directory, "writer"));
  const volume = volumeBytes[scenario.fileSystem];
  const deviceBytes = scenario.backing === "image" ? volume + outerBytes : volume;
  const [disk, log] = ["disk", "log"].map((name) => join(directory, name)) as [string, string];
  for (const [path, bytes] of [
    [disk, deviceBytes],
    [log, 4096 * MIB],
  ] as const) {
    await writeFile(path, "");
    await truncate(path, bytes);
  }
  const run = await runMachine({
    script: script(scenario, volume),
    directory,
    disks: [disk, log],
    modules: ["fuse", "loop", "dm-mod", "dm-log-writes"],
    memoryMiB: 768,
    timeoutMs: (scenario.seconds + 90) * 1000,
    ...(interrupted && { interrupted }),
  });
  if (run.exitCode !== 0) {
    throw new Error(`${scenario.name}: the machine's script ended with ${run.exitCode}: ${run.output}\n${run.console}`);
  }
  const preserved = /^preserved (\d+)$/m.exec(run.output)?.[1];
  return { log, deviceBytes, preservedBlocks: Number(preserved ?? 0) };
}

function script(scenario: Scenario, volume: number): string {
  const { fileSystem, backing, snapshots, seconds, flushesLost } = scenario;
  const lines = [
    `dmsetup create logged --table "0 $(blockdev --getsz /dev/ubda) log-writes /dev/ubda /dev/ubdb"`,
    ...(backing === "image"
      ? [
          "mkfs.ext4 -q -F /dev/mapper/logged",
          "mkdir /run/outer && mount /dev/mapper/logged /run/outer",
          `truncate -s ${volume} /run/outer/volume.img && sync /run/outer/volume.img /run/outer`,
          "backing=/run/outer/volume.img",
        ]
      : ["backing=/dev/mapper/logged"]),
    "/mnt/engine attach --id cut --backing $backing --run-dir /run/stillframe/cut --cgroup none",
    "live=/dev/loop0",
    ...(fileSystem === "none"
      ? ["target=(--raw $live)"]
      : [
          `mkfs.${fileSystem} -q ${fileSystem === "ext4" ? "-F" : "-f"} $live`,
          "mkdir /run/volume && mount $live /run/volume && sync -f /run/volume",
          "target=(--directory /run/volume)",
        ]),
    "dmsetup message logged 0 mark ready:0:0",
    // To the kernel a device without a volatile cache needs no flush: it drops them before the target sees any.
    flushesLost ? 'echo "write through" >/sys/block/dm-0/queue/write_cache' : "",
    snapshots
      ? `target+=(--snapshots /run/stillframe/cut/engine.sock --cache /run/cache --protocol ${ENGINE_PROTOCOL})`
      : "",
    `/mnt/writer --log logged --seconds ${seconds} "\${target[@]}"`,
  ];
  return lines.join("\n");
}
