/** The `stillframe` command. */
import { Command, CommanderError } from "commander";
import { addDoctorCommand } from "./commands/doctor";
import { addExecCommand } from "./commands/exec";
import { addExplainCommand } from "./commands/explain";
import { addHostCommands } from "./commands/host";
import { addJobCommands } from "./commands/job";
import { addPracticeCommands } from "./commands/practice";
import { addRestoreCommand } from "./commands/restore";
import { addRunCommands } from "./commands/run";
import { addSettingsCommands } from "./commands/settings";
import { addSnapshotCommands } from "./commands/snapshot";
import { addStartCommands } from "./commands/start";
import { addUserCommands } from "./commands/user";
import { addVolumeCommands } from "./commands/volume";
import { exitCodes, Failure } from "./failure";
import { failureText } from "./output/failure-text";
import { printNote } from "./output/print";
import { version } from "./version";

function buildProgram(): Command {
  const program = new Command("stillframe")
    .description("Open-file backups for Linux: volumes frozen at one instant while they go on being written to.")
    .version(version)
    .option("--home <dir>", "where the installation keeps its state (default: STILLFRAME_HOME or /var/lib/stillframe)")
    .showHelpAfterError("Run it with --help for what it takes.")
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 done with warnings, 130 interrupted.")
    .exitOverride();
  addStartCommands(program);
  addDoctorCommand(program);
  addVolumeCommands(program);
  addPracticeCommands(program);
  addSnapshotCommands(program);
  addExecCommand(program);
  addJobCommands(program);
  addRunCommands(program);
  addRestoreCommand(program);
  addSettingsCommands(program);
  addUserCommands(program);
  addHostCommands(program);
  addExplainCommand(program);
  return program;
}

async function main(argv: string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(argv, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // `--help` and `--version` arrive here with 0; a command group without a subcommand shows its help with 1.
      process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    } else if (error instanceof Failure) {
      printNote(failureText(error));
      process.exitCode = error.exitCode;
    } else {
      throw error;
    }
  }
}

/** A reader that goes away early (`| head`) is no error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

await main(process.argv.slice(2));
