import type { Command } from "commander";
import { examples } from "../examples";
import { Failure, usageFailure } from "../failure";
import { joinConsole } from "../joining/join";
import { programDirectory } from "../joining/releases";
import { systemdRuns } from "../joining/service";
import { locations } from "../locations";
import { printNote } from "../output/print";
import { globalOptions } from "../session";
import { Refusal } from "../up/bootstrap-steps.mjs";
import { requireRoot } from "../up/preflight";
import { installPackages, programPackageOf, requireDevices } from "../up/requirements.mjs";

export function addHostCommands(program: Command): void {
  const host = program.command("host").description("this machine as a host of a console on another");
  host
    .command("join")
    .description("become a host of a console; the page Hosts makes the command that fetches the program and runs this")
    .argument("<console>", "address of the console, as this machine reaches it")
    .option("--no-service", "run the worker in the foreground, until Ctrl-C, instead of as a service of systemd")
    .addHelpText(
      "after",
      `\nThe token of the page Hosts is read from STILLFRAME_JOIN_TOKEN. The certificate of an authority of your own is\nnamed in NODE_EXTRA_CA_CERTS. Joining again, with a new token, renews the program; volumes go on meanwhile.${examples(
        "STILLFRAME_JOIN_TOKEN=… stillframe host join https://console.example.org:4643",
      )}`,
    )
    .action(async (address: string, { service }: { service: boolean }, command: Command) => {
      const console = consoleAddress(address);
      const token = process.env.STILLFRAME_JOIN_TOKEN ?? "";
      if (token === "") throw usageFailure("STILLFRAME_JOIN_TOKEN is empty: the console's page Hosts makes a token");
      delete process.env.STILLFRAME_JOIN_TOKEN;
      requireRoot();
      await requireMachine();
      const at = locations(globalOptions(command).home);
      await joinConsole({ console, token, at, service: service && systemdRuns() }, ({ name }) =>
        printNote(`This machine is a host of ${console.origin} now, as “${name}”.`),
      );
    });
}

function consoleAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usageFailure(`<console> takes an address like https://console.example.org:4643, not “${text}”`);
  }
  return url;
}

/** Devices and programs; Debian packages that are missing are installed. */
async function requireMachine(): Promise<void> {
  try {
    requireDevices();
    await installPackages(programDirectory(), programPackageOf);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Failure(error.message, 1, null, error.todo);
  }
}
