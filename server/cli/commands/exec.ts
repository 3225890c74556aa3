import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import type { Mode } from "@/server/core/contracts/job";
import { examples } from "../examples";
import { runSession, type SessionResult } from "../exec/session";
import { Failure, usageFailure } from "../failure";
import { type HookOptions, hooksOf, withSnapshotHookOptions } from "../hook-options";
import { Interruption } from "../interruption";
import { type OpenFileOptions, openFileOf, withOpenFileOptions } from "../open-file-options";
import { failureText } from "../output/failure-text";
import { printNote } from "../output/print";
import { collect } from "../parse";
import { withWorker } from "../session";

interface ExecOptions extends OpenFileOptions, HookOptions {
  volume?: string[];
  oneAtATime?: boolean;
  report?: string;
}

export function addExecCommand(program: Command): void {
  const exec = program
    .command("exec")
    .description("run any command with the frozen images at the volumes' own paths, then release")
    .usage("--volume <name> [--volume <name> …] [options] -- COMMAND [ARGUMENT …]")
    .argument("<command...>", "what to run; everything else on the host looks as always")
    .addOption(new Option("--volume <name>", "volume to freeze; may be given several times").argParser(collect))
    .option("--one-at-a-time", "run the command once for each volume in turn, each with its own freeze")
    .option("--report <file>", "write what was done to this file, as JSON");
  withSnapshotHookOptions(withOpenFileOptions(exec))
    .addHelpText(
      "after",
      `${examples(
        "stillframe exec --volume alpha -- tar -C /srv/stillframe/alpha -cf /backup/alpha.tar .",
        "stillframe exec --volume alpha --volume beta -- restic -r /backup backup /srv/stillframe",
        "stillframe exec --volume alpha --pre-freeze 'runuser -u postgres -- psql -c CHECKPOINT' -- tar -cf /backup/db.tar /srv/db",
        "stillframe exec --volume alpha --volume beta --one-at-a-time -- sh -c 'rsync -a \"$STILLFRAME_PATHS/\" /backup/'",
      )}

The command finds the volumes' names in STILLFRAME_VOLUME and their paths in STILLFRAME_PATHS, one a line.
Its exit code is this command's; if a snapshot is lost while it runs, the exit code is never 0.`,
    )
    .action(execute);
}

async function execute(words: string[], options: ExecOptions, command: Command): Promise<void> {
  const [program, ...rest] = words;
  if (!options.volume) throw usageFailure("name at least one volume: --volume NAME");
  if (program === undefined) throw usageFailure("say what to run, after --");
  const mode: Mode = options.oneAtATime ? "oneAtATime" : "allAtOnce";
  const groups = options.oneAtATime ? options.volume.map((volume) => [volume]) : [options.volume];
  const openFile = openFileOf(options);
  const hooks = hooksOf(options);
  const done: SessionResult[] = [];
  const interruption = new Interruption();
  try {
    for (const volumes of groups) {
      if (interruption.received) break;
      done.push(await frozen(command, { volumes, mode, openFile, hooks }, [program, ...rest], interruption));
    }
  } finally {
    interruption.dispose();
  }
  const exitCode = interruption.exitCode ?? done.find((result) => result.exitCode !== 0)?.exitCode ?? 0;
  if (options.report !== undefined) {
    const report = { exitCode, mode, volumes: done.flatMap((result) => result.volumes) };
    await writeFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
  }
  process.exitCode = exitCode;
}

/** One session. That a snapshot could not be had is this session's result, so that the next volume is still tried. */
async function frozen(
  command: Command,
  input: Parameters<typeof runSession>[1],
  words: readonly [string, ...string[]],
  interruption: Interruption,
): Promise<SessionResult> {
  try {
    return await withWorker(command, (worker) => runSession(worker, input, words, interruption));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    printNote(failureText(error));
    const volumes = input.volumes.map((name) => ({
      name,
      provider: "none",
      takenAt: null,
      cacheUsedBytes: 0,
      code: error.code,
    }));
    return { exitCode: error.exitCode, volumes };
  }
}
