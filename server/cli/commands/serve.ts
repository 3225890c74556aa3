/** `volume serve` and `snapshot serve`: images for NBD clients, and where they are reached. */
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { NbdService } from "@/server/core/contracts/nbd";
import { examples, jsonOption } from "../examples";
import { printFacts, printNote } from "../output/print";
import { formatTable } from "../output/table";
import { portOption } from "../parse";
import { globalOptions, withWorker } from "../session";

interface ServeOptions {
  tcp?: { address: string; port: number };
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  stop?: boolean;
  writable?: boolean;
}

export function addVolumeServe(volume: Command): void {
  const serve = volume
    .command("serve")
    .description("let NBD clients (qemu, nbdcopy, nbd-client) read a volume and its snapshots")
    .argument("[name]", "name of the volume; without: what is served now")
    .option("--writable", "clients may also write to the live volume; not while it is mounted");
  withServeOptions(serve)
    .addHelpText(
      "after",
      examples(
        "stillframe volume serve /srv/data",
        "stillframe volume serve vm-disk --writable",
        "stillframe volume serve /srv/data --tcp 192.0.2.5:10809 --tls-cert cert.pem --tls-key key.pem --tls-ca clients.pem",
        "stillframe volume serve /srv/data --stop",
      ),
    )
    .action(async (name: string | undefined, options: ServeOptions, command: Command) => {
      if (name === undefined) return printServices(command);
      await serveOrStop({ volume: name }, name, options, command);
    });
}

export function addSnapshotServe(snapshot: Command): void {
  const serve = snapshot
    .command("serve")
    .description("let NBD clients (qemu-img, nbdcopy, nbd-client) read one frozen image")
    .argument("<id>", "id of the snapshot");
  withServeOptions(serve)
    .addHelpText(
      "after",
      examples(
        "stillframe snapshot serve 3f2a…",
        "qemu-img convert -f raw -O qcow2 'nbd+unix:///3f2a…?socket=…' backup.qcow2",
        "stillframe snapshot serve 3f2a… --stop",
      ),
    )
    .action(async (id: string, options: ServeOptions, command: Command) => {
      await serveOrStop({ snapshot: id }, id, options, command);
    });
}

function withServeOptions(command: Command): Command {
  return command
    .option("--tcp <address:port>", "also on TCP, which needs TLS (port 0: any)", tcpOption)
    .option("--tls-cert <file>", "TLS: the server's certificate (PEM)")
    .option("--tls-key <file>", "TLS: the server's key (PEM)")
    .option("--tls-ca <file>", "TLS: authorities that sign the certificates of clients (PEM)")
    .option("--stop", "stop serving; clients are disconnected")
    .option(...jsonOption);
}

async function serveOrStop(
  what: { volume: string } | { snapshot: string },
  shown: string,
  options: ServeOptions,
  command: Command,
): Promise<void> {
  if (options.stop) {
    await withWorker(command, (worker) => worker.host("nbd.stop", what));
    printNote(`${shown} is not served any more.`);
    return;
  }
  const tcp = tcpOf(options, command);
  const service = await withWorker(command, (worker) =>
    worker.host("nbd.serve", { ...what, writable: options.writable ?? false, tcp }),
  );
  printFacts(globalOptions(command).json, service, () => service.exports.flatMap((e) => e.uris).join("\n"));
}

async function printServices(command: Command): Promise<void> {
  const services = await withWorker(command, (worker) => worker.host("nbd.list", {}));
  printFacts(globalOptions(command).json, services, () => serviceTable(services));
}

function serviceTable(services: readonly NbdService[]): string {
  if (services.length === 0) return "No volume is served. Serve one: stillframe volume serve NAME";
  const rows = services.flatMap(({ volume, connections, exports }) =>
    exports.map(({ name, readOnly, uris }) => ({ volume, connections, name, readOnly, uris })),
  );
  return formatTable(rows, [
    { title: "VOLUME", value: (row) => row.volume },
    { title: "EXPORT", value: (row) => row.name },
    { title: "ACCESS", value: (row) => (row.readOnly ? "read" : "read, write") },
    { title: "CLIENTS", value: (row) => String(row.connections), right: true },
    { title: "URI", value: (row) => row.uris.join(" ") },
  ]);
}

/** `127.0.0.1:10809`, `[::1]:10809`. */
function tcpOption(text: string): { address: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text.trim());
  const address = match?.[1] ?? match?.[2];
  if (address === undefined) throw new InvalidArgumentError("Write an IP address and a port, such as 127.0.0.1:10809.");
  return { address, port: match?.[3] === "0" ? 0 : portOption(match?.[3] ?? "") };
}

function tcpOf(options: ServeOptions, command: Command) {
  const { tcp, tlsCert, tlsKey, tlsCa } = options;
  const given = [tlsCert, tlsKey, tlsCa].filter((file) => file !== undefined).length;
  if (given > 0 && tcp === undefined) command.error("error: TLS is for TCP: give --tcp too", { exitCode: 2 });
  if (tlsCert !== undefined && tlsKey !== undefined && tlsCa !== undefined && tcp !== undefined) {
    return { ...tcp, tls: { certificate: resolve(tlsCert), key: resolve(tlsKey), authorities: resolve(tlsCa) } };
  }
  if (given > 0) command.error("error: TLS needs all of --tls-cert, --tls-key and --tls-ca", { exitCode: 2 });
  if (tcp === undefined) return undefined;
  const why =
    "without it every user who can reach the port could read what is served; the Unix socket is for root alone";
  return command.error(`error: TCP needs TLS (${why}): give --tls-cert, --tls-key and --tls-ca`, { exitCode: 2 });
}
