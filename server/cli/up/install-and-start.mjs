/**
 * What `npm start` does: makes sure that this machine has what is needed, builds what is stale, and hands over to
 * `stillframe up`. Runs on a machine that has nothing but Node, npm and Rust.
 */
import { parseArgs } from "node:util";
import { Refusal, say } from "./bootstrap-steps.mjs";
import { build, root } from "./build.mjs";
import {
  buildPackageOf,
  installPackages,
  programPackageOf,
  requireDevices,
  requireLinuxAndRoot,
  requirePort,
  requireSpace,
} from "./requirements.mjs";

const help = `npm start -- [options]

  --port <port>     port of the console (default: 4600)
  --bind <address>  address to listen on (default: 127.0.0.1)
  --home <dir>      where state is kept (default: STILLFRAME_HOME or /var/lib/stillframe)
  --tls-cert <file> HTTPS by this certificate (PEM, with its chain); plain HTTP then for this host alone
  --tls-key <file>  the certificate's key (PEM, no passphrase)
  --tls-port <port> port of HTTPS (default: 4643)
`;

/** @param {string} option @param {string} given */
function portNumber(option, given) {
  const port = Number(given);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw new Error(`${option} takes a number from 1 to 65535, not ${JSON.stringify(given)}`);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "4600" },
        bind: { type: "string", default: "127.0.0.1" },
        home: { type: "string" },
        "tls-cert": { type: "string" },
        "tls-key": { type: "string" },
        "tls-port": { type: "string", default: "4643" },
        help: { type: "boolean", default: false },
      },
    });
    const tls = {
      cert: values["tls-cert"],
      key: values["tls-key"],
      port: portNumber("--tls-port", values["tls-port"]),
    };
    if ((tls.cert === undefined) !== (tls.key === undefined))
      throw new Error("TLS needs both --tls-cert and --tls-key");
    return { ...values, tls, port: portNumber("--port", values.port) };
  } catch (error) {
    say(`${error instanceof Error ? error.message : error}\n\n${help}`);
    process.exit(2);
  }
}

const { port, bind, home, tls, help: wantsHelp } = options();
if (wantsHelp) {
  process.stdout.write(help);
  process.exit(0);
}
try {
  requireLinuxAndRoot();
  requireDevices();
  await requirePort("--port", port, tls.cert === undefined ? bind : "127.0.0.1");
  if (tls.cert !== undefined) await requirePort("--tls-port", tls.port, bind);
  requireSpace(home ?? process.env.STILLFRAME_HOME ?? "/var/lib/stillframe", 0.5);
  await installPackages(root, { ...programPackageOf, ...buildPackageOf });
  await build();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(`\nstillframe: ${error.message}\n  ${error.todo}`);
  process.exit(1);
}
// In this process, so that Ctrl-C and the exit code need no go-between.
process.argv.splice(2, process.argv.length, "up", "--port", String(port), "--bind", bind);
if (home !== undefined) process.argv.push("--home", home);
if (tls.cert !== undefined && tls.key !== undefined) {
  process.argv.push("--tls-cert", tls.cert, "--tls-key", tls.key, "--tls-port", String(tls.port));
}
await import(new URL("../../../dist/cli.js", import.meta.url).href);
