import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Settings, SettingsChange } from "@/server/core/contracts/settings";
import {
  atTimeoutWords,
  lengthWords,
  noSnapshotWords,
  onOff,
  quietWords,
  sizeWords,
  whenFullWords,
} from "@/server/core/settings/open-file-words";
import { examples, jsonOption } from "../examples";
import { usageFailure } from "../failure";
import { noteIgnoredVolumes } from "../ignored-volumes";
import { noSnapshotOf } from "../job-input";
import { type PanelOptions, panelOf, withPanelOptions } from "../open-file-options";
import { printFacts } from "../output/print";
import { collect } from "../parse";
import { globalOptions, withWorker } from "../session";

interface SetOptions extends PanelOptions {
  withoutSnapshot?: keyof typeof noSnapshotOf;
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

  const set = settings
    .command("set")
    .description("change settings")
    .addOption(
      new Option("--one-at-a-time <on|off>", "process volumes one at a time in all jobs").choices(["on", "off"]),
    )
    .option("--cache-location <dir>", "where caches may be kept; may be given several times", collect)
    .option("--cache-automatic", "let the broker choose where caches are kept")
    .addOption(new Option("--without-snapshot <what>", "if no snapshot can be had").choices(Object.keys(noSnapshotOf)))
    .option(...jsonOption);
  withPanelOptions(set, "unchanged")
    .addHelpText(
      "after",
      examples(
        "stillframe settings set --one-at-a-time on",
        "stillframe settings set --cache-location /var/cache/stillframe",
        "stillframe settings set --min-quiet 500 --quiet-timeout 30s --at-quiet-timeout fail",
        "stillframe settings set --cache-max 4GiB --when-full hold --hold 2s",
      ),
    )
    .action(async (options: SetOptions, command: Command) => {
      const change: SettingsChange = {};
      const openFile = defaultsOf(options);
      if (openFile) change.openFile = openFile;
      if (options.oneAtATime) change.oneAtATime = options.oneAtATime === "on";
      if (options.cacheAutomatic) change.cacheLocations = [];
      if (options.cacheLocation) change.cacheLocations = options.cacheLocation.map((path) => resolve(path));
      if (options.cacheAutomatic && options.cacheLocation) {
        throw usageFailure("--cache-automatic and --cache-location exclude each other");
      }
      if (Object.keys(change).length === 0) throw usageFailure("say what to set");
      const settings = await withWorker(command, async (worker) => {
        const changed = await worker.console("settings.set", change);
        await noteIgnoredVolumes(worker, openFile?.quiet?.ignorePaths);
        return changed;
      });
      print(command, settings);
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

/** Undefined: none was given. */
function defaultsOf(options: SetOptions): SettingsChange["openFile"] {
  const { quiet, cache } = panelOf(options);
  const noSnapshot = options.withoutSnapshot && noSnapshotOf[options.withoutSnapshot];
  const nothing = Object.keys(quiet).length + Object.keys(cache).length === 0 && noSnapshot === undefined;
  return nothing ? undefined : { quiet, cache, ...(noSnapshot && { noSnapshot }) };
}

function print(command: Command, settings: Settings): void {
  const { quiet, cache, noSnapshot } = settings.openFile;
  const facts = [
    ["one at a time", onOff(settings.oneAtATime)],
    ["cache locations", settings.cacheLocations.join(", ") || "automatic"],
    ["quiet time", quietWords(quiet.minimumMs)],
    ["waits at most", lengthWords(quiet.timeoutMs)],
    ["and then", atTimeoutWords[quiet.atTimeout]],
    ["ignores", quiet.ignorePaths.join(", ") || "no writes"],
    ["initial size", sizeWords(cache.initialBytes)],
    ["maximum size", sizeWords(cache.maxBytes)],
    ["free space", cache.skipFreeBlocks ? "left out" : "preserved"],
    ["when full", whenFullWords[cache.whenFull]],
    ["holds at most", lengthWords(cache.holdMs)],
    ["no snapshot", noSnapshotWords[noSnapshot]],
  ] as const;
  printFacts(globalOptions(command).json, settings, () =>
    facts.map(([name, value]) => `${name.padEnd(17)}${value}`).join("\n"),
  );
}
