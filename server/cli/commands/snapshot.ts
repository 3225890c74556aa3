import { resolve } from "node:path";
import type { Command } from "commander";
import type { HostOutput } from "@/server/core/contracts/host-methods";
import type { Snapshot } from "@/server/core/contracts/volume";
import { formatBytes } from "@/server/core/text/bytes";
import { examples, jsonOption } from "../examples";
import { type HookOptions, hooksOf, withSnapshotHookOptions } from "../hook-options";
import { type OpenFileOptions, openFileOf, withOpenFileOptions } from "../open-file-options";
import { createdSnapshotDocument, snapshotDocument } from "../output/documents";
import { printFacts, printNote } from "../output/print";
import { formatTable } from "../output/table";
import { globalOptions, withWorker } from "../session";
import type { WorkerConnection } from "../worker-connection";
import { addSnapshotServe } from "./serve";
import { addSnapshotRead } from "./snapshot-read";

interface CreateOptions extends OpenFileOptions, HookOptions {
  oneAtATime?: boolean;
}

export function addSnapshotCommands(program: Command): void {
  const snapshot = program.command("snapshot").description("snapshots held open by hand");
  const create = snapshot
    .command("create")
    .description("freeze volumes at one instant; the snapshots stay until released")
    .argument("<volume...>", "names of volumes")
    .option("--one-at-a-time", "freeze each volume by itself instead of all at one instant")
    .option(...jsonOption);
  withSnapshotHookOptions(withOpenFileOptions(create))
    .addHelpText(
      "after",
      examples("stillframe snapshot create alpha beta", "stillframe snapshot create alpha --min-quiet 0"),
    )
    .action(async (volumes: string[], options: CreateOptions, command: Command) => {
      const made = await withWorker(command, (worker) =>
        worker.host("snapshot.create", {
          volumes,
          mode: options.oneAtATime ? "oneAtATime" : "allAtOnce",
          openFile: openFileOf(options),
          hooks: hooksOf(options),
        }),
      );
      for (const line of made.said) printNote(`stillframe: ${line}`);
      const document = { group: made.group, mode: made.mode, snapshots: made.snapshots.map(createdSnapshotDocument) };
      printFacts(globalOptions(command).json, document, () => snapshotTable(made.snapshots));
    });

  snapshot
    .command("list")
    .description("snapshots that are open now")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe snapshot list"))
    .action(async (_options, command: Command) => {
      const open = await withWorker(command, (worker) => worker.host("snapshot.list", {}));
      printFacts(globalOptions(command).json, open.map(snapshotDocument), () => snapshotTable(open));
    });

  snapshot
    .command("mount")
    .description("mount a frozen image, read-only")
    .argument("<id>", "id of the snapshot")
    .argument("<dir>", "existing directory")
    .addHelpText("after", examples("stillframe snapshot mount 3f2a… /mnt/frozen"))
    .action(async (id: string, target: string, _options, command: Command) => {
      await withWorker(command, (worker) => worker.host("snapshot.mount", { id, target: resolve(target) }));
      printNote(`${id} is mounted at ${resolve(target)}; it is unmounted when the snapshot is released.`);
    });

  snapshot
    .command("changes")
    .description("tell which blocks changed between two snapshots of a volume, also after their release")
    .argument("<id>", "id of the later snapshot")
    .requiredOption("--since <id>", "id of the earlier one")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe snapshot changes 7ac1… --since 3f2a… --json"))
    .action(async (id: string, options: { since: string }, command: Command) => {
      const told = await withWorker(command, (worker) => changesOf(worker, id, options.since));
      const changedBytes = told.extents.reduce((sum, e) => sum + e.length, 0);
      const document = { snapshot: id, since: options.since, volume: told.volume, changedBytes, extents: told.extents };
      printFacts(
        globalOptions(command).json,
        document,
        () => `${formatBytes(changedBytes)} of "${told.volume}" changed, in ${told.extents.length} places.`,
      );
    });

  snapshot
    .command("release")
    .description("give a snapshot up and free its cache; unmounts it where it was mounted")
    .argument("<id...>", "ids of snapshots")
    .addHelpText("after", examples("stillframe snapshot release 3f2a…"))
    .action(async (ids: string[], _options, command: Command) => {
      await withWorker(command, async (worker) => {
        for (const id of ids) await worker.host("snapshot.release", { id });
      });
      printNote(ids.length === 1 ? `${ids[0]} is released.` : `${ids.length} snapshots are released.`);
    });
  addSnapshotRead(snapshot);
  addSnapshotServe(snapshot);
}

type Changes = HostOutput<"snapshot.changes">;

/** All parts of the answer. */
async function changesOf(worker: WorkerConnection, id: string, since: string): Promise<Omit<Changes, "next">> {
  const extents: Changes["extents"] = [];
  let part: Changes = await worker.host("snapshot.changes", { id, since });
  for (;;) {
    extents.push(...part.extents);
    if (part.next === null) return { volume: part.volume, extents };
    part = await worker.host("snapshot.changes", { id, since, offset: part.next });
  }
}

function snapshotTable(snapshots: readonly Snapshot[]): string {
  if (snapshots.length === 0) return "No snapshot is open.";
  return formatTable(snapshots, [
    { title: "ID", value: (s) => s.id },
    { title: "VOLUME", value: (s) => s.volume },
    { title: "TAKEN", value: (s) => s.takenAt },
    { title: "STATE", value: (s) => s.state },
    { title: "CACHE", value: (s) => formatBytes(s.cacheUsedBytes), right: true },
    { title: "MAX", value: (s) => formatBytes(s.cacheMaxBytes), right: true },
    { title: "LOCATION", value: (s) => s.cacheLocation },
    { title: "DEVICE", value: (s) => s.device ?? "-" },
  ]);
}
