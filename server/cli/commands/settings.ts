import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Settings } from "@/server/core/contracts/settings";
import { examples, jsonOption } from "../examples";
import { usageFailure } from "../failure";
import { printFacts } from "../output/print";
import { collect } from "../parse";
import { globalOptions, withWorker } from "../session";

interface SetOptions {
  oneAtATime?: "on" | "off";
  cacheLocation?: string[];
  cacheAutomatic?: boolean;
}

export function addSettingsCommands(program: Command): void {
  const settings = program
    .command("settings")
    .description("settings that apply to every job that does not say otherwise");

  settings
    .command("get")
    .description("show all settings")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe settings get --json"))
    .action(async (_options, command: Command) => {
      print(command, await withWorker(command, (worker) => worker.console("settings.get", {})));
    });

  settings
    .command("set")
    .description("change settings")
    .addOption(
      new Option("--one-at-a-time <on|off>", "process volumes one at a time in all jobs").choices(["on", "off"]),
    )
    .option("--cache-location <dir>", "where caches may be kept; may be given several times", collect)
    .option("--cache-automatic", "let the broker choose where caches are kept")
    .option(...jsonOption)
    .addHelpText(
      "after",
      examples(
        "stillframe settings set --one-at-a-time on",
        "stillframe settings set --cache-location /var/cache/stillframe",
      ),
    )
    .action(async (options: SetOptions, command: Command) => {
      const change: Partial<Settings> = {};
      if (options.oneAtATime) change.oneAtATime = options.oneAtATime === "on";
      if (options.cacheAutomatic) change.cacheLocations = [];
      if (options.cacheLocation) change.cacheLocations = options.cacheLocation.map((path) => resolve(path));
      if (options.cacheAutomatic && options.cacheLocation) {
        throw usageFailure("--cache-automatic and --cache-location exclude each other");
      }
      if (Object.keys(change).length === 0) throw usageFailure("say what to set");
      print(command, await withWorker(command, (worker) => worker.console("settings.set", change)));
    });

  settings
    .command("import-reg")
    .description("read DoSingleVolumeSnap from a registry export (.reg, UTF-16 or UTF-8)")
    .argument("<file>", "the export")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe settings import-reg backup-engine.reg"))
    .action(async (file: string, _options, command: Command) => {
      const content = await readFile(file).catch((error: Error) => {
        throw usageFailure(`cannot read ${file}: ${error.message}`);
      });
      print(
        command,
        await withWorker(command, (worker) =>
          worker.console("settings.importReg", { content: content.toString("base64") }),
        ),
      );
    });
}

function print(command: Command, settings: Settings): void {
  printFacts(globalOptions(command).json, settings, () =>
    [
      `one at a time    ${settings.oneAtATime ? "on" : "off"}`,
      `cache locations  ${settings.cacheLocations.join(", ") || "automatic"}`,
    ].join("\n"),
  );
}
