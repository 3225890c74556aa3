import { resolve } from "node:path";
import type { Command } from "commander";
import { formatBytes } from "@/server/core/text/bytes";
import { examples, jsonOption } from "../examples";
import { usageFailure } from "../failure";
import { printFacts } from "../output/print";
import { formatTable } from "../output/table";
import { globalOptions, withWorker } from "../session";

export function addRestoreCommand(program: Command): void {
  program
    .command("restore")
    .description("list the files of a run's backup, or restore some to a directory")
    .argument("<run>", "number or id of the run")
    .argument("[path...]", "what to restore, by its original path; with --list, what to list (default: /)")
    .option("--list", "list what is directly below the path")
    .option("--to <dir>", "restore there: a directory that is absent or empty")
    .option(...jsonOption)
    .addHelpText(
      "after",
      examples(
        "stillframe restore 184 --list /srv/stillframe/alpha",
        "stillframe restore 184 /srv/stillframe/alpha/orders.db --to /root/restored",
      ),
    )
    .action(async (run: string, paths: string[], options: { list?: boolean; to?: string }, command: Command) => {
      if (options.list && options.to !== undefined) throw usageFailure("--list and --to exclude each other");
      if (options.list) return list(command, run, paths);
      if (options.to === undefined) throw usageFailure("say where to restore to: --to DIR (or --list to look first)");
      if (paths.length === 0) throw usageFailure("name at least one path to restore (--list shows them)");
      const to = resolve(options.to);
      const done = await withWorker(command, (worker) =>
        worker.console("restore.start", { run, paths: paths.map((path) => resolve("/", path)), target: to }),
      );
      printFacts(
        globalOptions(command).json,
        done,
        () =>
          `Restored ${done.restoredFiles} ${done.restoredFiles === 1 ? "file" : "files"}, ${formatBytes(done.restoredBytes)}, to ${to}.`,
      );
    });
}

async function list(command: Command, run: string, paths: string[]): Promise<void> {
  if (paths.length > 1) throw usageFailure("--list takes one path");
  const path = resolve("/", paths[0] ?? "/");
  const entries = await withWorker(command, (worker) => worker.console("restore.list", { run, path }));
  printFacts(globalOptions(command).json, entries, () =>
    entries.length === 0
      ? `Nothing below ${path}.`
      : formatTable(entries, [
          { title: "TYPE", value: (e) => e.type },
          { title: "SIZE", value: (e) => (e.type === "file" ? formatBytes(e.sizeBytes) : "-"), right: true },
          { title: "MODIFIED", value: (e) => e.modifiedAt ?? "-" },
          { title: "PATH", value: (e) => e.path },
        ]),
  );
}
