/** Carries out what can be pressed on a failure page. The error table says which action helps for which code. */
import type { Hook } from "@/server/core/contracts/hooks";
import {
  type EffectiveJob,
  effectiveJobSchema,
  ignorePathsSchema,
  type JobInput,
  type JobOpenFile,
} from "@/server/core/contracts/job";
import { defaultSettings } from "@/server/core/contracts/settings";
import {
  type ActionChoice,
  type ActionResult,
  actionResultSchema,
  type CachePlace,
  type FailureDetail,
} from "@/server/core/contracts/views";
import type { ActionId } from "@/server/core/errors/actions";
import {
  cacheFullEvidence,
  hookFailedEvidence,
  noQuietEvidence,
  unreachableEvidence,
} from "@/server/core/errors/evidence";
import { errorTable } from "@/server/core/errors/table";
import { hookLabels } from "@/server/core/hooks/hook-words";
import { quietStart } from "@/server/core/planning/quiet-start";
import { reachableQuiet } from "@/server/core/planning/quiet-window";
import { scheduleWords } from "@/server/core/planning/schedule-words";
import { directoryOf, widestPaths } from "@/server/core/planning/selection";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import type { History } from "../history/history";
import type { Hosts } from "../hosts/hosts";
import type { Jobs } from "../jobs/jobs";
import type { Runs } from "../runs/runs";
import { scheduleZone } from "../schedule/schedule-zone";
import type { SettingsService } from "../settings/settings";
import type { Failures } from "./failures";

type Parts = {
  failures: Failures;
  jobs: Jobs;
  runs: Runs;
  hosts: Hosts;
  settings: SettingsService;
  history: History;
};
/** What a service did, where it looked at nothing part by part. */
type Done = Pick<ActionResult, "message" | "runId"> & Partial<ActionResult>;
type Carry = (failure: FailureDetail, choice: ActionChoice) => Promise<Done>;

export class Actions {
  readonly #parts: Parts;
  readonly #actions: Record<ActionId, Carry>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#actions = {
      rerun: (failure) => this.#rerun(failure, "The job"),
      oneAtATime: (failure) =>
        this.#changeAndRerun(failure, (open) => ({ ...open, oneAtATime: "on" }), "Now one volume at a time; the job"),
      freezeAnyway: (failure) =>
        this.#changeAndRerun(
          failure,
          (open) => ({ ...open, quiet: { ...open.quiet, atTimeout: "snapshot" } }),
          "The snapshot is now taken at the time-out; the job",
        ),
      useLongestGap: (failure) => this.#useLongestGap(failure),
      quietHour: (failure) => this.#quietHour(failure),
      ignorePaths: (failure, { ignorePaths }) => this.#ignorePaths(failure, ignorePaths),
      holdWriters: (failure) => this.#holdWriters(failure),
      raiseMaximum: (failure) => this.#raiseMaximum(failure),
      allowLocation: (failure) => this.#allowLocation(failure),
      removeOrphans: (failure) => this.#removeOrphans(failure),
      placeCache: (failure, { cache }) => this.#placeCache(failure, cache),
      restartEngine: (failure) => this.#restartEngine(failure),
      restartWorker: ({ hostId }) => this.#parts.hosts.restartWorker(hostId),
      repair: (failure) => this.#repair(failure),
      selfTest: (failure) => this.#selfTest(failure),
      testHook: (failure) => this.#testHook(failure),
      hookWarns: (failure) => this.#hookWarns(failure),
      showSelection: async () => {
        throw fault("invalid", "This action opens the job; there is nothing to carry out.", { field: "action" });
      },
    };
  }

  async act(failureId: string, action: string, choice: ActionChoice): Promise<ActionResult> {
    const failure = await this.#parts.failures.get(failureId);
    noteChange({ subject: `${failure.code} of ${failure.job.name}` });
    const offered = errorTable[failure.code].actionsFor(failure.evidence).find((candidate) => candidate.id === action);
    if (!offered) {
      throw fault("invalid", `“${action}” is not an action for ${failure.code}.`, { field: "action" });
    }
    return actionResultSchema.parse(await this.#actions[offered.id](failure, choice));
  }

  async #rerun(failure: FailureDetail, what: string): Promise<Done> {
    const job = await this.#job(failure);
    const { runId } = await this.#parts.runs.start(job.id);
    const { number } = await this.#parts.runs.get(runId);
    return { message: `${what} runs again as run ${number}.`, runId };
  }

  async #changeAndRerun(
    failure: FailureDetail,
    change: (openFile: JobOpenFile) => JobOpenFile,
    what: string,
  ): Promise<Done> {
    const job = await this.#job(failure);
    await this.#parts.jobs.update(job.id, { ...inputOf(job), openFile: change(job.openFile) });
    return this.#rerun(failure, what);
  }

  async #useLongestGap(failure: FailureDetail): Promise<Done> {
    const evidence = noQuietEvidence.parse(failure.evidence);
    const quiet = reachableQuiet(evidence.recurringGapMs ?? evidence.longestGapMs, evidence.timeoutMs);
    if (!quiet) throw fault("invalid", "No gap was seen at all, so there is none to use.", { field: "action" });
    return this.#changeAndRerun(
      failure,
      (open) => ({ ...open, quiet: { ...open.quiet, ...quiet } }),
      `The minimum quiet time is now ${formatDuration(quiet.minimumMs)}, waited for up to ${formatDuration(quiet.timeoutMs)}; the job`,
    );
  }

  /** Only what the evidence names, or a directory that such a file lies in: an operator ignores no other part of a volume. */
  async #ignorePaths(failure: FailureDetail, chosen: readonly string[] = []): Promise<Done> {
    const named = noQuietEvidence.parse(failure.evidence).writers.flatMap(({ paths }) => paths);
    const [elsewhere] = chosen.filter(
      (path) => path === "/" || !named.some((one) => one === path || directoryOf(one) === path),
    );
    if (elsewhere !== undefined) {
      throw fault("invalid", `The evidence does not name ${elsewhere}. Ignore it in the job’s form.`, {
        field: "ignorePaths",
      });
    }
    if (chosen.length === 0) throw fault("invalid", "Choose at least one path.", { field: "ignorePaths" });
    const { effectiveOpenFile } = await this.#job(failure);
    const ignorePaths = widestPaths([...effectiveOpenFile.quiet.ignorePaths, ...chosen]);
    const { success } = ignorePathsSchema.safeParse(ignorePaths);
    if (!success)
      throw fault("conflict", "A job can ignore 100 paths. Choose their directories.", { field: "ignorePaths" });
    return this.#changeAndRerun(
      failure,
      (open) => ({ ...open, quiet: { ...open.quiet, ignorePaths } }),
      `Writes to ${chosen.length === 1 ? chosen[0] : `${chosen.length} paths`} are ignored from now on; the job`,
    );
  }

  async #holdWriters(failure: FailureDetail): Promise<Done> {
    const { openFile, effectiveOpenFile } = await this.#job(failure);
    const { whenFull, holdMs } = effectiveOpenFile.cache;
    if (whenFull === "hold" && holdMs > 0) {
      throw fault("conflict", `The job holds writers already, for at most ${formatDuration(holdMs)}.`);
    }
    const longest = holdMs > 0 ? holdMs : defaultSettings.openFile.cache.holdMs;
    const own = holdMs > 0 ? openFile.cache.holdMs : longest;
    return this.#changeAndRerun(
      failure,
      (open) => ({ ...open, cache: { ...open.cache, whenFull: "hold", holdMs: own } }),
      `When its cache is full, writers now wait for room, for at most ${formatDuration(longest)}; the job`,
    );
  }

  /** For later runs: when it is quiet nobody runs it again now. */
  async #quietHour(failure: FailureDetail): Promise<Done> {
    const job = await this.#job(failure);
    const zone = scheduleZone(job.schedule, await this.#parts.hosts.get(job.hostId));
    const weeks = await this.#parts.history.weeks(job.hostId, job.selection.volumes, zone);
    const start = quietStart(job.schedule, weeks, failure.code === "a000851c" ? "writes" : "rest");
    if (!start.ok) throw fault("conflict", start.reason);
    await this.#parts.jobs.update(job.id, { ...inputOf(job), schedule: start.schedule });
    const { quietMs, bytesPerSecond, weeks: from } = start.hour;
    const rate = `${formatBytes(Math.round(bytesPerSecond))} a second`;
    const evidence = `its volumes rested for ${formatDuration(quietMs)} then, and ${rate} were written (from ${from} ${from === 1 ? "week" : "weeks"})`;
    return {
      message: `From now on the job starts ${scheduleWords(start.schedule)} (${zone}): ${evidence}.`,
      runId: null,
    };
  }

  async #raiseMaximum(failure: FailureDetail): Promise<Done> {
    const evidence = cacheFullEvidence.parse(failure.evidence);
    const { effectiveOpenFile } = await this.#job(failure);
    const present = effectiveOpenFile.cache.maxBytes ?? evidence.maxBytes;
    if (!present) throw fault("invalid", "The size that was too small is not known.", { field: "action" });
    const maxBytes = Math.min(present * 2, mostRoom(evidence.locations) ?? Number.POSITIVE_INFINITY);
    if (maxBytes <= present) {
      throw fault(
        "conflict",
        `No location has room for more than ${formatBytes(present)}. Free some, or allow another location.`,
      );
    }
    return this.#changeAndRerun(
      failure,
      (open) => ({ ...open, cache: { ...open.cache, maxBytes } }),
      `The cache may now grow to ${formatBytes(maxBytes)}; the job`,
    );
  }

  /** Allows the roomiest location that would have done; where none would, a person has to name one. */
  async #allowLocation(failure: FailureDetail): Promise<Done> {
    const { locations } = cacheFullEvidence.parse(failure.evidence);
    const { cacheLocations } = await this.#parts.settings.get();
    const [best] = locations
      .filter((l) => !cacheLocations.includes(l.path) && l.freeBytes - l.reservedBytes >= l.neededBytes)
      .sort((a, b) => b.freeBytes - a.freeBytes);
    if (!best) {
      throw fault(
        "conflict",
        "No known location has room. Add one on another disk under Settings, then rerun the job.",
      );
    }
    await this.#parts.settings.set({ cacheLocations: [...cacheLocations, best.path] });
    return this.#rerun(failure, `Caches may now be kept in ${best.path}; the job`);
  }

  async #removeOrphans({ hostId }: FailureDetail): Promise<Done> {
    const { removed, freedBytes } = await this.#parts.hosts.ask(hostId, "cache.removeOrphans", {});
    const message =
      removed.length === 0
        ? "There are no orphaned caches on this host."
        : `Removed ${removed.length} orphaned ${removed.length === 1 ? "cache" : "caches"}, ${formatBytes(freedBytes)} freed.`;
    return { message, runId: null };
  }

  async #restartEngine(failure: FailureDetail): Promise<Done> {
    const named = unreachableEvidence.safeParse(failure.evidence).data;
    const volume = failure.volume ?? named?.volume ?? null;
    if (volume === null) {
      throw fault("invalid", "This failure concerns the worker, not an engine. Restart the worker on its host.", {
        field: "action",
      });
    }
    await this.#parts.hosts.ask(failure.hostId, "engine.restart", { volume });
    return { message: `The engine of ${volume} was restarted.`, runId: null };
  }

  async #selfTest({ hostId }: FailureDetail): Promise<Done> {
    const { ok, checks } = await this.#parts.hosts.doctor(hostId, true);
    const failed = checks.filter((check) => !check.ok && check.required).length;
    const message = ok ? `All ${checks.length} checks passed.` : `${failed} of ${checks.length} checks failed.`;
    return { message, runId: null, ok, checks };
  }

  async #repair({ hostId }: FailureDetail): Promise<Done> {
    const { ok, checks } = await this.#parts.hosts.repair(hostId);
    const message = ok ? "All is in order on this host." : "Not all could be repaired.";
    return { message, runId: null, ok, checks };
  }

  /** Only where the host may keep caches: to allow another location is an administrator's. */
  async #placeCache(failure: FailureDetail, chosen: CachePlace | undefined): Promise<Done> {
    if (!chosen) throw fault("invalid", "Choose a location and a largest size.", { field: "cache" });
    const locations = await this.#parts.hosts.ask(failure.hostId, "cache.list", {});
    const place = locations.find(({ path }) => path === chosen.location);
    if (chosen.location !== null && !place) {
      throw fault("invalid", `${chosen.location} is not among the allowed locations.`, { field: "cache.location" });
    }
    const room = mostRoom(place ? [place] : locations);
    if (room !== null && chosen.maxBytes !== null && chosen.maxBytes > room) {
      throw fault("conflict", `There is room for ${formatBytes(room)} only.`, { field: "cache.maxBytes" });
    }
    const initialBytes = initialBelow(await this.#job(failure), chosen.maxBytes);
    const where = chosen.location === null ? "where there is most room" : `in ${chosen.location}`;
    return this.#changeAndRerun(
      failure,
      (open) => ({ ...open, cache: { ...open.cache, ...chosen, initialBytes } }),
      `Its caches are now kept ${where}${chosen.maxBytes === null ? "" : `, up to ${formatBytes(chosen.maxBytes)} each`}; the job`,
    );
  }

  async #testHook(failure: FailureDetail): Promise<Done> {
    const job = await this.#job(failure);
    const { hook } = this.#hookOf(failure, job);
    const { volumes } = hookFailedEvidence.parse(failure.evidence);
    const trial = { hook, jobName: job.name, volumes: volumes.length > 0 ? volumes : job.selection.volumes };
    const { ok, message, lines } = await this.#parts.jobs.testHook({ hostId: job.hostId, ...trial });
    const text = `${ok ? "It works" : "It fails"}: ${message}.`;
    return { message: text, runId: null, ok, lines };
  }

  async #hookWarns(failure: FailureDetail): Promise<Done> {
    const job = await this.#job(failure);
    const { hook: wanted, label } = this.#hookOf(failure, job);
    const hooks = job.hooks.map((hook) => (hook === wanted ? { ...hook, onFailure: "warn" as const } : hook));
    await this.#parts.jobs.update(job.id, { ...inputOf(job), hooks });
    return this.#rerun(failure, `A failure of “${label}” is a warning from now on; the job`);
  }

  /** The hook that failed, as the job has it now. */
  #hookOf(failure: FailureDetail, { hooks }: EffectiveJob): { hook: Hook; label: string } {
    const { hook: label } = hookFailedEvidence.parse(failure.evidence);
    const index = label === null ? -1 : hookLabels(hooks).indexOf(label);
    const hook = hooks[index];
    if (label === null || hook === undefined) {
      throw fault("conflict", `The job has no ${label === null ? "such hook" : `hook “${label}”`} any more.`);
    }
    return { hook, label };
  }

  async #job({ job }: FailureDetail): Promise<EffectiveJob> {
    const found = (await this.#parts.jobs.list()).find((candidate) => candidate.id === job.id);
    if (!found) throw fault("notFound", `The job “${job.name}” has been removed since.`);
    return effectiveJobSchema.parse(found);
  }
}

function inputOf({ name, hostId, selection, openFile, hooks, schedule, destination }: EffectiveJob): JobInput {
  return { name, hostId, selection, openFile, hooks, schedule, destination };
}

/** The initial size of a cache that must stay below a new largest one; as the job has it where it does. */
function initialBelow({ openFile, effectiveOpenFile }: EffectiveJob, maxBytes: number | null) {
  const { initialBytes } = effectiveOpenFile.cache;
  const above = initialBytes !== null && maxBytes !== null && initialBytes > maxBytes;
  return above ? maxBytes : openFile.cache.initialBytes;
}

/** What the roomiest of the locations could give one cache; null when none is known. */
function mostRoom(locations: { freeBytes: number; reservedBytes: number }[]): number | null {
  const rooms = locations.map(({ freeBytes, reservedBytes }) => freeBytes - reservedBytes);
  return rooms.length === 0 ? null : Math.max(...rooms);
}
