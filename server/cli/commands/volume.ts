import { resolve } from "node:path";
import type { Command } from "commander";
import type { Volume } from "@/server/core/contracts/volume";
import { formatBytes } from "@/server/core/text/bytes";
import { examples, jsonOption } from "../examples";
import { volumeDocument } from "../output/documents";
import { printFacts, printNote } from "../output/print";
import { formatTable } from "../output/table";
import { globalOptions, withWorker } from "../session";
import { addVolumeServe } from "./serve";

export function addVolumeCommands(program: Command): void {
  const volume = program.command("volume").description("volumes of this host: list, attach to the engine, detach");

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

export function volumeTable(volumes: readonly Volume[]): string {
  if (volumes.length === 0) return "No volumes. Make one to practise on: stillframe practice create NAME --size 512M";
  return formatTable(volumes, [
    { title: "NAME", value: (v) => v.name },
    { title: "MOUNT", value: (v) => v.mount ?? "-" },
    { title: "FS", value: (v) => v.fsType ?? "-" },
    { title: "SIZE", value: (v) => formatBytes(v.sizeBytes), right: true },
    { title: "USED", value: (v) => formatBytes(v.usedBytes), right: true },
    { title: "PROVIDER", value: (v) => v.provider },
    { title: "STATE", value: (v) => v.state },
    { title: "DEVICE", value: (v) => v.device ?? "-" },
    { title: "SOURCE", value: (v) => v.source },
  ]);
}
