import { spawn } from "node:child_process";
import { constants } from "node:os";
import { resolve } from "node:path";
import type { Command } from "commander";
import { examples } from "../examples";
import { locations } from "../locations";
import { portOption } from "../parse";
import { globalOptions } from "../session";
import { type Installation, type ProgramName, programArguments, programEnvironment } from "../up/programs";
import { up } from "../up/up";

interface StartOptions {
  port: number;
  bind: string;
  tlsCert?: string;
  tlsKey?: string;
  tlsPort: number;
}

export function addStartCommands(program: Command): void {
  withAddress(program.command("up").description("console and worker on this machine, until Ctrl-C"))
    .addHelpText(
      "after",
      examples(
        "stillframe up",
        "stillframe up --port 8080 --bind 0.0.0.0 --home /srv/stillframe-state",
        "stillframe up --bind 0.0.0.0 --tls-cert /etc/ssl/console.pem --tls-key /etc/ssl/console.key",
      ),
    )
    .action((options: StartOptions, command: Command) => up(installation(options, command)));

  withAddress(program.command("console").description("only the console: pages, API and database"))
    .addHelpText("after", examples("stillframe console --port 4600"))
    .action((options: StartOptions, command: Command) => replaceBy("console", installation(options, command)));

  withAddress(program.command("worker").description("only the worker of this host; --bind and --port: the console's"))
    .addHelpText("after", examples("stillframe worker"))
    .action((options: StartOptions, command: Command) => replaceBy("worker", installation(options, command)));
}

function withAddress(command: Command): Command {
  return command
    .option("--port <port>", "port of the console", portOption, 4600)
    .option("--bind <address>", "address to listen on", "127.0.0.1")
    .option("--tls-cert <file>", "HTTPS by this certificate (PEM, with its chain); plain HTTP then for this host alone")
    .option("--tls-key <file>", "the certificate's key (PEM, no passphrase)")
    .option("--tls-port <port>", "port of HTTPS", portOption, 4643);
}

function installation(options: StartOptions, command: Command): Installation {
  const { home, run } = locations(globalOptions(command).home);
  return { home, run, bind: options.bind, port: options.port, tls: tlsOf(options, command) };
}

function tlsOf({ tlsCert, tlsKey, tlsPort }: StartOptions, command: Command): Installation["tls"] {
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return { certificate: resolve(tlsCert), key: resolve(tlsKey), port: tlsPort };
  }
  if (tlsCert !== undefined || tlsKey !== undefined) {
    command.error("error: TLS needs both --tls-cert and --tls-key", { exitCode: 2 });
  }
  return null;
}

/** Runs a program in the foreground: its output, its signals and its exit code are this command's. */
function replaceBy(name: ProgramName, at: Installation): Promise<void> {
  const child = spawn(process.execPath, programArguments(name), { env: programEnvironment(at), stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) =>
    child.once("close", (code, signal) => {
      process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
      resolve();
    }),
  );
}
