import { resolve } from "node:path";
import type { Command } from "commander";
import type { HostOutput } from "@/server/core/contracts/host-methods";
import type { Volume } from "@/server/core/contracts/volume";
import { formatBytes } from "@/server/core/text/bytes";
import { examples, jsonOption } from "../examples";
import { volumeDocument } from "../output/documents";
import { printFacts, printNote } from "../output/print";
import { formatTable } from "../output/table";
import { globalOptions, withWorker } from "../session";
import { addVolumeServe } from "./serve";

export function addVolumeCommands(program: Command): void {
  const volume = program
    .command("volume")
    .description("volumes of this host: list, attach to the engine, upgrade, detach");

  volume
    .command("list")
    .description("file systems of this host, with size, use, provider and state")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe volume list", "stillframe volume list --json | jq '.[].name'"))
    .action(async (_options, command: Command) => {
      const volumes = await withWorker(command, (worker) => worker.host("volume.list", {}));
      printFacts(globalOptions(command).json, volumes.map(volumeDocument), () => volumeTable(volumes));
    });

  volume
    .command("attach")
    .description("let all writes to a volume pass the engine, so that it can be snapshotted")
    .argument("<source>", "image file or block device; with --remount, the mount point of a mounted volume")
    .option("--name <name>", "name of the volume (default: its mount point)")
    .option("--mount <dir>", "mount it there")
    .option("--remount", "unmount the volume for a moment and mount it again through the engine")
    .option(...jsonOption)
    .addHelpText(
      "after",
      examples(
        "stillframe volume attach /dev/sdb1 --mount /srv/data",
        "stillframe volume attach /srv/data --remount",
        "stillframe volume attach ./disk.img --name test --mount /mnt/test",
      ),
    )
    .action(async (source: string, options: { name?: string; mount?: string; remount?: boolean }, command: Command) => {
      const attached = await withWorker(command, (worker) =>
        worker.host("volume.attach", {
          source: resolve(source),
          name: options.name,
          mount: options.mount === undefined ? undefined : resolve(options.mount),
          remount: options.remount ?? false,
        }),
      );
      printFacts(globalOptions(command).json, volumeDocument(attached), () => volumeTable([attached]));
    });

  volume
    .command("upgrade")
    .description("replace the engine of volumes by the installed one, while they are in use and snapshots are open")
    .argument("[names...]", "names of volumes, as `volume list` shows them")
    .option("--all", "every volume that is attached")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe volume upgrade /srv/data", "stillframe volume upgrade --all"))
    .action(async (names: string[], options: { all?: boolean }, command: Command) => {
      if (names.length > 0 === (options.all ?? false)) command.error("error: name volumes, or give --all");
      const upgraded = await withWorker(command, async (worker) => {
        const listed = options.all ? await worker.host("volume.list", {}) : [];
        const attached = listed.filter((v) => v.provider === "engine" && v.state !== "detached").map((v) => v.name);
        const results: HostOutput<"volume.upgrade">[] = [];
        for (const name of options.all ? attached : names) {
          results.push(await worker.host("volume.upgrade", { name }));
          if (!globalOptions(command).json) printNote(`${name} has a new engine.`);
        }
        return results;
      });
      printFacts(globalOptions(command).json, upgraded, () => upgradeTable(upgraded));
    });

  volume
    .command("detach")
    .description("unmount a volume and take the engine away; the data stays where it is")
    .argument("<name>", "name of the volume, as `volume list` shows it")
    .addHelpText("after", examples("stillframe volume detach /srv/data"))
    .action(async (name: string, _options, command: Command) => {
      await withWorker(command, (worker) => worker.host("volume.detach", { name }));
      printNote(`${name} is detached.`);
    });
  addVolumeServe(volume);
}

function upgradeTable(upgraded: readonly HostOutput<"volume.upgrade">[]): string {
  if (upgraded.length === 0) return "No volume is attached.";
  return formatTable(upgraded, [
    { title: "NAME", value: (v) => v.name },
    { title: "VERSION", value: (v) => v.version },
    { title: "BEFORE", value: (v) => v.previousVersion },
  ]);
}

export function volumeTable(volumes: readonly Volume[]): string {
  if (volumes.length === 0) return "No volumes. Make one to practise on: stillframe practice create NAME --size 512M";
  return formatTable(volumes, [
    { title: "NAME", value: (v) => v.name },
    { title: "MOUNT", value: (v) => v.mount ?? "-" },
    { title: "FS", value: (v) => v.fsType ?? "-" },
    { title: "SIZE", value: (v) => formatBytes(v.sizeBytes), right: true },
    { title: "USED", value: (v) => formatBytes(v.usedBytes), right: true },
    { title: "PROVIDER", value: (v) => (v.transport ? `${v.provider} (${v.transport})` : v.provider) },
    { title: "STATE", value: (v) => v.state },
    { title: "DEVICE", value: (v) => v.device ?? "-" },
    { title: "SOURCE", value: (v) => v.source },
  ]);
}
