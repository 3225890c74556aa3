/** Diagnostics bundles, of a host or of a failure with its run. A host that cannot be asked leaves the console's part. */
import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import type { Job } from "@/server/core/contracts/job";
import type { DiagnosticsBundle, FailureDetail } from "@/server/core/contracts/views";
import type { FailureStore } from "../../data/failures";
import type { KeptSpec, RunStore } from "../../data/runs";
import { noteChange } from "../audit/change-note";
import type { Failures } from "../failures/failures";
import { FaultError } from "../fault-error";
import type { Hosts } from "../hosts/hosts";
import type { Jobs } from "../jobs/jobs";
import type { SettingsService } from "../settings/settings";
import { type BundleFile, packBundle } from "./bundle";

const RECENT = 100;
const LOG_TAIL_CHARACTERS = 256 * 1024;

/** A shorter one, like `true`, holds no secret, and its letters are in many other words. */
const SHORTEST_COMMAND = 12;

const README = `Diagnostics of Stillframe, to be read by whoever helps.

console/    what the console knows: versions, settings, the host, its jobs, runs and failures
failure/    the failure that this was made for, with its evidence, its run and the run's log
host/       what the host itself says: facts, doctor, volumes, caches, kernel lines, logs

Passwords, keys, tokens and the commands of jobs were taken out and read [removed]. Names of hosts, volumes, paths and
people's e-mail addresses are there: look through the files before you hand them on.
`;

const REMOVED = "[removed]";

type Commands = Pick<Job, "destination" | "hooks">;
type Parts = {
  hosts: Hosts;
  jobs: Jobs;
  runs: RunStore;
  failures: Failures;
  failureStore: FailureStore;
  settings: SettingsService;
  log: Logger;
  version: string;
  consoleLog: string;
};

export class Diagnostics {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async ofHost(hostId: string): Promise<DiagnosticsBundle> {
    const { name } = await this.#parts.hosts.get(hostId);
    noteChange({ subject: name });
    return this.#pack(hostId, name);
  }

  async ofFailure(id: string): Promise<DiagnosticsBundle> {
    const failure = await this.#parts.failures.get(id);
    noteChange({ subject: `${failure.code} of ${failure.job.name}` });
    return this.#pack(failure.hostId, `${failure.code}-${failure.job.name}`, failure);
  }

  async #pack(hostId: string, about: string, failure?: FailureDetail): Promise<DiagnosticsBundle> {
    const { jobs } = this.#parts;
    const all = await jobs.list();
    const passwords = await Promise.all(all.map(({ id }) => jobs.storedPassword(id).catch(() => null)));
    const spec = failure ? await this.#parts.runs.spec(failure.runId) : null;
    const known = [...passwords.flatMap((one) => one ?? []), ...[...all, ...(spec ? [spec] : [])].flatMap(commandsOf)];
    const files = [
      { name: "README.txt", text: README },
      ...(await this.#consoleFiles(hostId, all)),
      ...(failure ? await this.#failureFiles(failure, spec) : []),
      ...(await this.#hostFiles(hostId)),
    ];
    const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    const root = `stillframe-${fileName(about)}-${stamp}`;
    return { fileName: `${root}.zip`, zip: Buffer.from(await packBundle(root, files, known)).toString("base64") };
  }

  async #consoleFiles(hostId: string, jobs: Job[]): Promise<BundleFile[]> {
    const { hosts, runs, failureStore, settings, version, consoleLog } = this.#parts;
    const [host, recent, failures, log] = await Promise.all([
      hosts.get(hostId),
      runs.list({ hostId, limit: RECENT }),
      failureStore.list({ hostId }),
      readFile(consoleLog, "utf8").catch(() => ""),
    ]);
    return [
      {
        name: "console/versions.json",
        document: {
          madeAt: new Date().toISOString(),
          console: version,
          node: process.version,
          worker: host.version,
        },
      },
      { name: "console/host.json", document: host },
      { name: "console/settings.json", document: await settings.get() },
      { name: "console/jobs.json", document: jobs.filter((job) => job.hostId === hostId).map(withoutCommands) },
      { name: "console/runs.jsonl", lines: recent },
      { name: "console/failures.jsonl", lines: failures.slice(0, RECENT) },
      { name: "console/console.log", text: log.slice(-LOG_TAIL_CHARACTERS) },
    ];
  }

  async #failureFiles({ events, group, ...failure }: FailureDetail, spec: KeptSpec | null): Promise<BundleFile[]> {
    const run = await this.#parts.runs.find(failure.runId);
    return [
      { name: "failure/failure.json", document: failure },
      { name: "failure/group.json", document: group },
      { name: "failure/run.json", document: { run, startedWith: spec && withoutCommands(spec) } },
      { name: "failure/events.jsonl", lines: events },
    ];
  }

  async #hostFiles(hostId: string): Promise<BundleFile[]> {
    const { hosts, log } = this.#parts;
    try {
      const { files } = await hosts.ask(hostId, "host.diagnostics", {});
      return files.map(({ name, text }) => ({ name: `host/${name}`, text }));
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      log.info({ hostId, reason: error.message }, "a diagnostics bundle is made without its host");
      return [
        { name: "host/NOT-REACHED.txt", text: `The host could not be asked: ${error.message}\n` },
        { name: "host/evidence.json", document: error.fault.evidence ?? {} },
      ];
    }
  }
}

/** A command may hold secrets in any form; what failed of it stands in the evidence. */
function withoutCommands<T extends Commands>(job: T) {
  const { destination } = job;
  return {
    ...job,
    ...(destination.kind === "command" && { destination: { kind: "command", command: REMOVED } }),
    hooks: job.hooks.map((hook) => ({ ...hook, command: REMOVED })),
  };
}

function commandsOf({ destination, hooks }: Commands): string[] {
  const ofHooks = hooks.flatMap(({ command }) => (typeof command === "string" ? [command] : command));
  const all = [...(destination.kind === "command" ? [destination.command] : []), ...ofHooks];
  return all.filter((command) => command.length >= SHORTEST_COMMAND);
}

function fileName(text: string): string {
  return text.replace(/[^\p{L}\p{N}.-]+/gu, "-").slice(0, 80);
}
