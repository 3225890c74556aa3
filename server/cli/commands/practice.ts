import { type Command, Option } from "commander";
import { examples, jsonOption } from "../examples";
import { volumeDocument } from "../output/documents";
import { printFacts, printNote } from "../output/print";
import { sizeOption } from "../parse";
import { globalOptions, withWorker } from "../session";
import { volumeTable } from "./volume";

export function addPracticeCommands(program: Command): void {
  const practice = program
    .command("practice")
    .description("practice volumes: image files that behave as ordinary volumes, to try things on");

  practice
    .command("create")
    .description("make an image, attach it through the engine and mount it")
    .argument("<name>", "any letters, no slash")
    .requiredOption("--size <size>", "such as 512M or 2GiB, at least 64M", sizeOption)
    .addOption(new Option("--fs <type>", "file system").choices(["ext4", "xfs"]).default("ext4"))
    .option("--writer", "keep writing to it, like a small database with a growing log")
    .option(...jsonOption)
    .addHelpText(
      "after",
      examples(
        "stillframe practice create alpha --size 512M --writer",
        "stillframe practice create beta --size 1G --fs xfs",
      ),
    )
    .action(async (name: string, options: { size: number; fs: "ext4" | "xfs"; writer?: boolean }, command: Command) => {
      const volume = await withWorker(command, (worker) =>
        worker.host("practice.create", {
          name,
          sizeBytes: options.size,
          fs: options.fs,
          writer: options.writer ?? false,
        }),
      );
      printFacts(globalOptions(command).json, volumeDocument(volume), () => volumeTable([volume]));
    });

  practice
    .command("remove")
    .description("remove a practice volume with everything on it")
    .argument("<name>", "name of the practice volume")
    .addHelpText("after", examples("stillframe practice remove alpha"))
    .action(async (name: string, _options, command: Command) => {
      await withWorker(command, (worker) => worker.host("practice.remove", { name }));
      printNote(`${name} is removed.`);
    });
}
