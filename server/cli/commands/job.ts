import { type Command, Option } from "commander";
import type { EffectiveJob, Job } from "@/server/core/contracts/job";
import { momentWords } from "@/server/core/hooks/hook-words";
import { retentionWords } from "@/server/core/planning/retention-words";
import { scheduleWords } from "@/server/core/planning/schedule-words";
import {
  atTimeoutWords,
  lengthWords,
  noSnapshotWords,
  quietWords,
  sizeWords,
  whenFullWords,
} from "@/server/core/settings/open-file-words";
import { formatDuration } from "@/server/core/text/duration";
import { formatInstant } from "@/server/core/text/instant";
import { examples, jsonOption } from "../examples";
import { Failure } from "../failure";
import { withHookOptions } from "../hook-options";
import { noteIgnoredVolumes } from "../ignored-volumes";
import { changedJob, type JobOptions, jobInput } from "../job-input";
import { withOpenFileOptions } from "../open-file-options";
import { runDocument } from "../output/documents";
import { printFacts, printNote } from "../output/print";
import { runText } from "../output/run-text";
import { formatTable } from "../output/table";
import { collect, countOption } from "../parse";
import { withRetentionOptions } from "../retention-options";
import { failOnOutcome, followRun } from "../run-follow";
import { scheduleForms } from "../schedule-options";
import { globalOptions, withWorker } from "../session";

export function addJobCommands(program: Command): void {
  const job = program.command("job").description("jobs: what is backed up, how it is frozen, where it goes");

  job
    .command("list")
    .description("all jobs")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe job list"))
    .action(async (_options, command: Command) => {
      const jobs = await withWorker(command, (worker) => worker.console("job.list", {}));
      printFacts(globalOptions(command).json, jobs, () => jobTable(jobs));
    });

  job
    .command("show")
    .description("one job")
    .argument("<job>", "name or id")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe job show nightly", "stillframe job show nightly --json"))
    .action(async (name: string, _options, command: Command) => {
      const jobs = await withWorker(command, (worker) => worker.console("job.list", {}));
      const found = jobs.find(({ id }) => id === name) ?? jobs.find((one) => one.name === name);
      if (!found) throw new Failure(`There is no job “${name}”.`);
      printFacts(globalOptions(command).json, found, () => jobText(found));
    });

  addCreate(job);
  addChanges(job);

  job
    .command("run")
    .description("start a job")
    .argument("<job>", "name or id")
    .option("--wait", "show what happens and wait for the end; Ctrl-C cancels the run")
    .option(...jsonOption)
    .addHelpText("after", examples("stillframe job run nightly --wait", "stillframe job run nightly --wait --json"))
    .action(async (name: string, options: { wait?: boolean }, command: Command) => {
      const { json } = globalOptions(command);
      await withWorker(command, async (worker) => {
        const { runId } = await worker.console("job.run", { job: name });
        if (!options.wait) return printFacts(json, { id: runId }, () => `Run ${runId} is started.`);
        const run = await followRun(worker, runId, printNote);
        printFacts(json, runDocument(run), () => runText(run));
        failOnOutcome(run);
      });
    });

  job
    .command("remove")
    .description("remove a job; its backups stay in their repository")
    .argument("<job>", "name or id")
    .addHelpText("after", examples("stillframe job remove nightly"))
    .action(async (name: string, _options, command: Command) => {
      await withWorker(command, (worker) => worker.console("job.remove", { job: name }));
      printNote(`${name} is removed.`);
    });
}

function addCreate(job: Command): void {
  const create = job
    .command("create")
    .description("make a job")
    .option("--file <file>", "a job as JSON instead of the options below; - reads standard input")
    .option("--name <name>", "name of the job")
    .option("--volume <name>", "volume to back up; may be given several times", collect)
    .option("--path <path>", "only this path; may be given several times", collect)
    .option("--exclude <pattern>", "restic exclude pattern; may be given several times", collect)
    .option("--restic <dir>", "repository to back up to; made when absent")
    .option("--command <command>", "run this with /bin/sh instead; STILLFRAME_PATHS holds the paths, one a line")
    .option("--password-file <file>", "file with the repository's password (or set STILLFRAME_RESTIC_PASSWORD)")
    .addOption(
      new Option("--one-at-a-time <mode>", "process volumes one at a time (default: inherit the setting)").choices([
        "inherit",
        "on",
        "off",
      ]),
    )
    .option("--schedule <when>", `start it by itself: ${scheduleForms}`)
    .option("--time-zone <name>", "of the schedule, such as Europe/Berlin (default: the host's)")
    .option("--grace <minutes>", "how late it may start when it cannot in time (default: 60)", countOption)
    .option("--no-open-file", "do not use snapshots")
    .addOption(
      new Option("--without-snapshot <what>", "if no snapshot can be had (default: inherit the setting)").choices([
        "fail",
        "read-live",
      ]),
    )
    .option(...jsonOption);
  withHookOptions(withOpenFileOptions(withRetentionOptions(create), { inherits: true }))
    .addHelpText(
      "after",
      examples(
        "stillframe job create --name nightly --volume alpha --volume beta --restic /backup --password-file pw",
        "stillframe job create --name nightly --volume alpha --restic /backup --password-file pw --schedule 'daily 02:00'",
        "stillframe job create --name db --volume alpha --restic /backup --password-file pw --pre-freeze 'runuser -u postgres -- psql -c CHECKPOINT'",
        "stillframe job create --name list --volume alpha --command 'ls -l \"$STILLFRAME_PATHS\"'",
        "stillframe job create --file job.json",
      ),
    )
    .action(async (options: JobOptions, command: Command) => {
      const input = await jobInput(options);
      const made = await withWorker(command, async (worker) => {
        const job = await worker.console("job.create", input);
        await noteIgnoredVolumes(worker, job.openFile.quiet.ignorePaths);
        return job;
      });
      printFacts(globalOptions(command).json, made, () => jobTable([made]));
    });
}

function addChanges(job: Command): void {
  job
    .command("update")
    .description("replace a job by a document such as `job show --json` prints; its runs and backups stay")
    .argument("<job>", "name or id")
    .requiredOption("--file <file>", "the whole job as JSON; - reads standard input")
    .option("--password-file <file>", "file with another password for the repository (default: the one that is stored)")
    .option(...jsonOption)
    .addHelpText(
      "after",
      examples(
        "stillframe job show nightly --json > job.json",
        "stillframe job update nightly --file job.json",
        "stillframe job show nightly --json | jq '.openFile.oneAtATime = \"on\"' | stillframe job update nightly --file -",
      ),
    )
    .action(async (name: string, options: { file: string; passwordFile?: string }, command: Command) => {
      const to = await changedJob(options);
      const job = await withWorker(command, async (worker) => {
        const changed = await worker.console("job.update", { ...to, job: name });
        await noteIgnoredVolumes(worker, changed.openFile.quiet.ignorePaths);
        return changed;
      });
      printFacts(globalOptions(command).json, job, () => jobText(job));
    });

  for (const [word, paused, description] of [
    ["pause", true, "nobody and nothing starts the job until it is continued; what is running goes on"],
    ["continue", false, "the job is started again, by its schedule too"],
  ] as const) {
    job
      .command(word)
      .description(description)
      .argument("<job>", "name or id")
      .option(...jsonOption)
      .addHelpText("after", examples(`stillframe job ${word} nightly`))
      .action(async (name: string, _options, command: Command) => {
        const job = await withWorker(command, (worker) => worker.console("job.setPaused", { job: name, paused }));
        printFacts(globalOptions(command).json, job, () => jobText(job));
      });
  }
}

function jobTable(jobs: readonly Job[]): string {
  if (jobs.length === 0) return "No jobs. Make one: stillframe job create --help";
  return formatTable(jobs, [
    { title: "NAME", value: (j) => j.name },
    { title: "VOLUMES", value: (j) => j.selection.volumes.join(", ") },
    { title: "ONE AT A TIME", value: (j) => j.openFile.oneAtATime },
    { title: "DESTINATION", value: destinationText },
    { title: "SCHEDULE", value: (j) => scheduleWords(j.schedule) },
    { title: "NEXT RUN", value: nextRunText },
    { title: "ID", value: (j) => j.id },
  ]);
}

function jobText(job: EffectiveJob): string {
  const { schedule, selection } = job;
  const facts: [string, string][] = [
    ["name", job.name],
    ["id", job.id],
    ["volumes", selection.volumes.join(", ")],
    ["paths", selection.paths.join(", ") || "all"],
    ["one at a time", ownOr(job.openFile.oneAtATime, job.effectiveMode === "oneAtATime" ? "on" : "off")],
    ...panelFacts(job),
    ["destination", destinationText(job)],
    ["old backups", retentionText(job)],
    ...hookFacts(job),
    [
      "schedule",
      schedule === null ? scheduleWords(null) : `${scheduleWords(schedule)} (${schedule.zone ?? "host's time"})`,
    ],
    ["next run", nextRunText(job)],
  ];
  return facts.map(([name, value]) => `${name.padEnd(15)}${value}`).join("\n");
}

const ownOr = (own: unknown, words: string) => (own === "inherit" ? `${words} (inherited)` : words);

/** What applies now, and which of it the job inherits. */
function panelFacts({ openFile: own, effectiveOpenFile: { enabled, quiet, cache, noSnapshot } }: EffectiveJob) {
  if (!enabled) return [["snapshots", "none: files are read live"] satisfies [string, string]];
  const waits = quiet.minimumMs > 0;
  const facts: [string, string | false][] = [
    ["quiet time", ownOr(own.quiet.minimumMs, quietWords(quiet.minimumMs))],
    ["waits at most", waits && ownOr(own.quiet.timeoutMs, lengthWords(quiet.timeoutMs))],
    ["and then", waits && ownOr(own.quiet.atTimeout, atTimeoutWords[quiet.atTimeout])],
    ["ignores", waits && ownOr(own.quiet.ignorePaths, quiet.ignorePaths.join(", ") || "no writes")],
    ["cache", cache.location ?? "location automatic"],
    ["initial size", ownOr(own.cache.initialBytes, sizeWords(cache.initialBytes))],
    ["maximum size", ownOr(own.cache.maxBytes, sizeWords(cache.maxBytes))],
    ["free space", ownOr(own.cache.skipFreeBlocks, cache.skipFreeBlocks ? "left out" : "preserved")],
    ["when full", ownOr(own.cache.whenFull, whenFullWords[cache.whenFull])],
    ["holds at most", cache.whenFull === "hold" && ownOr(own.cache.holdMs, lengthWords(cache.holdMs))],
    ["no snapshot", ownOr(own.noSnapshot, noSnapshotWords[noSnapshot])],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== false);
}

function retentionText({ destination }: Job): string {
  if (destination.kind !== "restic" || !destination.retention) return "all stay";
  return `keeps ${retentionWords(destination.retention)}${destination.retention.prune ? ", and prunes" : ""}`;
}

function hookFacts({ hooks }: Job): [string, string][] {
  return hooks.map(({ at, name, command, timeoutMs, onFailure }) => {
    const words = typeof command === "string" ? command : command.map((part) => JSON.stringify(part)).join(" ");
    const notes = [name, `at most ${formatDuration(timeoutMs)}`, onFailure === "warn" ? "only warns" : ""];
    return [momentWords[at], `${words} (${notes.filter(Boolean).join(", ")})`];
  });
}

function destinationText({ destination }: Job): string {
  return destination.kind === "restic" ? `restic ${destination.repository}` : destination.command;
}

function nextRunText({ nextRunAt, paused }: Job): string {
  return paused ? "paused" : nextRunAt === null ? "-" : formatInstant(nextRunAt);
}
