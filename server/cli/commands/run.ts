import type { Command } from "commander";
import { examples, jsonOption } from "../examples";
import { runDocument } from "../output/documents";
import { printFacts, printNote } from "../output/print";
import { eventText, runTable, runText } from "../output/run-text";
import { countOption } from "../parse";
import { followRun } from "../run-follow";
import { globalOptions, withWorker } from "../session";

export function addRunCommands(program: Command): void {
  const run = program.command("run").description("runs: what happened, and what is happening");

  run
    .command("list")
    .description("the latest runs")
    .option("--limit <count>", "how many", countOption, 20)
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe run list --limit 5"))
    .action(async (options: { limit: number }, command: Command) => {
      const runs = await withWorker(command, (worker) => worker.console("run.list", { limit: options.limit }));
      printFacts(globalOptions(command).json, runs.map(runDocument), () => runTable(runs));
    });

  run
    .command("show")
    .description("one run: its state, and for each volume the provider, instant and result")
    .argument("<run>", "number or id")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe run show 184", "stillframe run show 184 --json | jq .state"))
    .action(async (id: string, _options, command: Command) => {
      const shown = await withWorker(command, (worker) => worker.console("run.show", { run: id }));
      printFacts(globalOptions(command).json, runDocument(shown), () => runText(shown));
    });

  run
    .command("log")
    .description("everything that happened in a run, oldest first")
    .argument("<run>", "number or id")
    .option("--follow", "go on until the run ends")
    .option("--json", "print one JSON document: the array of events")
    .addHelpText("after", examples("stillframe run log 184", "stillframe run log 184 --follow"))
    .action(async (id: string, options: { follow?: boolean }, command: Command) => {
      const { json } = globalOptions(command);
      await withWorker(command, async (worker) => {
        if (options.follow && !json) {
          await followRun(worker, id, (line) => printFacts(false, null, () => line), false);
          return;
        }
        const { events } = await worker.console("run.log", { run: id });
        printFacts(json, events, () => events.flatMap(({ event }) => eventText(event) ?? []).join("\n"));
      });
    });

  run
    .command("cancel")
    .description("end a run now; its snapshots are released")
    .argument("<run>", "number or id")
    .addHelpText("after", examples("stillframe run cancel 184"))
    .action(async (id: string, _options, command: Command) => {
      await withWorker(command, (worker) => worker.console("run.cancel", { run: id }));
      printNote(`Run ${id} is being cancelled.`);
    });
}
