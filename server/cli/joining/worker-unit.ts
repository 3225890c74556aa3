/** The worker as a service of systemd (systemd.service(5)). */

export interface WorkerService {
  /** Path of Node. */
  node: string;
  /** Path of the bundled worker. */
  program: string;
  /** Its environment; values of any kind. */
  environment: Readonly<Record<string, string>>;
}

export const unitName = "stillframe-worker.service";

/**
 * Engines are children of the worker and outlive it: a stop or an upgrade of the service must leave them serving
 * (`KillMode=process`), and a host that shuts down unmounts its volumes before it ends what is left. It is started anew
 * however often it ended (`StartLimitIntervalSec=0`): systemd would give up after five times in ten seconds, and the host
 * would be without backups until somebody looks. A backup program that the kernel ends for want of memory fails its run,
 * and not the service (`OOMPolicy=continue`). It counts as started once its volumes are attached and mounted (`Type=notify`),
 * however long a file system's repair takes, so that a service that needs them can be ordered after it.
 */
export function workerUnit({ node, program, environment }: WorkerService): string {
  const variables = Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`);
  return [
    "[Unit]",
    "Description=Stillframe: snapshots and backups of this host's volumes",
    "After=network-online.target local-fs.target",
    "Wants=network-online.target",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "Type=notify",
    "NotifyAccess=all",
    "TimeoutStartSec=infinity",
    `ExecStart=${quoted(node)} --enable-source-maps ${quoted(program)}`,
    ...variables,
    "KillMode=process",
    "OOMPolicy=continue",
    "Restart=always",
    "RestartSec=1",
    "TimeoutStopSec=90",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** A word as systemd reads it: `%` begins a specifier there, `$` a variable, and quotes take C's escapes. */
function quoted(word: string): string {
  const escaped = word.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
