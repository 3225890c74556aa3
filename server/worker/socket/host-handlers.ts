/** What each host method does: one line of glue from `contracts/host-methods.ts` to the part that does it. */

import type { z } from "zod";
import { type HostMethod, type HostMethods, type HostOutput, hostMethods } from "@/server/core/contracts/host-methods";
import type { Volume } from "@/server/core/contracts/volume";
import { prepareRepository } from "../backup/restic";
import { listBackup, restoreFiles } from "../backup/restic-restore";
import { hostDiagnostics } from "../doctor/diagnostics";
import { examineHost } from "../doctor/doctor";
import { repairHost } from "../doctor/repair";
import { restartEngine } from "../engine/restart";
import { engineLog } from "../engine/unreachable";
import { FaultError } from "../fault";
import { tryHook } from "../hooks/try-hook";
import type { Host } from "../host";
import { sampleOf } from "../link/sample";
import { createPractice, removePractice, suspendPractice } from "../practice/practice-volumes";
import type { ActiveRuns } from "../runs/active-runs";
import { changedBlocks } from "../snapshots/changed-blocks";
import type { Caller, ExecSessions } from "../snapshots/exec-sessions";
import type { KeptSnapshots } from "../snapshots/kept-snapshots";
import { retryStuck } from "../snapshots/undo";
import { attachVolume, detachVolume } from "../volumes/attach";
import { describeKnown, listVolumes } from "../volumes/discovery";
import type { KnownVolume } from "../volumes/known-volumes";
import { readMounts } from "../volumes/mount-table";
import { nbdServices, serveNbd, stopNbd } from "../volumes/nbd-service";

export interface HostParts {
  host: Host;
  runs: ActiveRuns;
  sessions: ExecSessions;
  snapshots: KeptSnapshots;
  /** Ends this worker once the answer is sent; null where no supervisor starts it again. */
  endForRestart: (() => void) | null;
}

type Handlers = {
  [M in HostMethod]: (input: z.output<HostMethods[M]["input"]>, caller: Caller | null) => Promise<HostOutput<M>>;
};

/** Checks the input and runs a host method. `caller` is null over the link: it holds no lease. */
export function answerHostMethod(
  handlers: Handlers,
  method: string,
  params: unknown,
  caller: Caller | null,
): Promise<unknown> {
  if (!Object.hasOwn(hostMethods, method)) throw new FaultError("notFound", `there is no method "${method}"`);
  return callOne(handlers, method as HostMethod, params, caller);
}

async function callOne<M extends HostMethod>(handlers: Handlers, method: M, params: unknown, caller: Caller | null) {
  const input = hostMethods[method].input.parse(params ?? {}) as z.output<HostMethods[M]["input"]>;
  return handlers[method](input, caller);
}

export function hostHandlers({ host, runs, sessions, snapshots, endForRestart }: HostParts): Handlers {
  const { known, engine, writers, caches, places } = host;
  const volumeOf = async (record: KnownVolume): Promise<Volume> => describeKnown(known, record, await readMounts());
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => known.exclusively(work);
  const detaching = (name: string, work: () => Promise<void>): Promise<Record<string, never>> =>
    exclusively(() =>
      known.whileLeaving(name, async () => {
        if (runs.volumes().has(name)) {
          throw new FaultError("busy", `volume "${name}" is being backed up`, { field: "name" });
        }
        await work();
        return {};
      }),
    );
  return {
    "host.doctor": ({ selfTest }) => examineHost(host, selfTest),
    "host.diagnostics": () => hostDiagnostics(host),
    "host.repair": () => exclusively(() => repairHost(host, snapshots, runs.volumes())),
    "host.restart": async () => {
      if (endForRestart === null) {
        throw new FaultError("denied", "nothing would start this worker again: restart its service on its host");
      }
      if (runs.ids().length > 0) throw new FaultError("busy", "a run is on: cancel it first, or wait for its end");
      if (sessions.count > 0) throw new FaultError("busy", "a program works on frozen images (stillframe exec)");
      endForRestart();
      return {};
    },
    "volume.list": () => listVolumes(known),
    "volume.attach": (input) => exclusively(async () => volumeOf((await attachVolume(known, engine, input)).record)),
    "volume.detach": ({ name }) =>
      detaching(name, async () => {
        const record = known.require(name);
        if (record.practice) await suspendPractice(known, engine, writers, record);
        else await detachVolume(known, engine, name);
      }),
    "volume.upgrade": ({ name }) =>
      exclusively(async () => {
        const { previousVersion, version } = await engine.upgrade(known.requireAttached(name).runDirectory);
        return { name, previousVersion, version };
      }),
    "practice.create": (input) =>
      exclusively(async () => volumeOf((await createPractice(known, engine, writers, input)).record)),
    "practice.remove": ({ name }) => detaching(name, () => removePractice(known, engine, writers, name)),
    "practice.writer": ({ name, on }) =>
      exclusively(async () => {
        const record = { ...known.require(name), writer: on };
        if (!record.practice) throw new FaultError("invalid", `"${name}" is not a practice volume`, { field: "name" });
        if (on) await writers.start(known.requireAttached(name).record);
        else await writers.stop(record);
        await known.save(record);
        return volumeOf(record);
      }),
    "sample.latest": async () =>
      Promise.all(known.allAttached().map(async ({ record, watch }) => sampleOf(record.name, await watch.describe()))),
    "cache.list": () => caches.list(),
    "cache.removeOrphans": () => exclusively(() => caches.removeOrphans()),
    "cache.allow": async ({ locations }) => {
      await caches.allow(locations);
      return caches.list();
    },
    "snapshot.create": (input, caller) =>
      known.whileTaking(input.volumes, () => snapshots.create(input, caller?.gone ?? new AbortController().signal)),
    "snapshot.list": () => snapshots.list(),
    "snapshot.mount": async ({ id, target }) => {
      await snapshots.mount(id, target);
      return {};
    },
    "snapshot.release": async ({ id }) => {
      await snapshots.release(id);
      return {};
    },
    "snapshot.passed": ({ id, offset }) => snapshots.passed(id, offset),
    "snapshot.changes": (input) => changedBlocks(host, input),
    "nbd.serve": (input, caller) => {
      if (caller === null) throw new FaultError("denied", "NBD is served by the worker's local socket only");
      return exclusively(() => serveNbd(known, input));
    },
    "nbd.list": () => nbdServices(known),
    "nbd.stop": async (input) => {
      await exclusively(() => stopNbd(known, input));
      return {};
    },
    "exec.begin": (input, caller) => {
      if (caller === null) throw new FaultError("denied", "exec works on the worker's local socket only");
      return known.whileTaking(input.volumes, () => sessions.begin(input, caller));
    },
    "exec.end": ({ session }) => sessions.end(session),
    "hook.test": (input) => tryHook(host, input),
    "run.start": async (spec) => {
      runs.start(spec);
      return {};
    },
    "run.cancel": async ({ runId }) => {
      await runs.cancel(runId);
      return {};
    },
    "restore.list": (input) => listBackup(places, input),
    "restore.start": (input) => restoreFiles(host, input),
    "repository.prepare": (input) => prepareRepository(places, input),
    "engine.restart": ({ volume }) =>
      exclusively(async () => {
        await restartEngine(host, known.requireAttached(volume));
        await retryStuck();
        await snapshots.forgetLost();
        return {};
      }),
    "engine.log": async ({ volume, lines }) => engineLog(known.requireAttached(volume).runDirectory, lines),
  };
}
