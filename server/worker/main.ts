/** The worker: one on each host with volumes. Started again it goes on where it, or a killed predecessor, stopped. */
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CacheLocations } from "./cache/cache-locations";
import { EngineProgram } from "./engine/engine-program";
import { takeUpWaiting } from "./engine/restart";
import { messageOf } from "./fault";
import type { Host } from "./host";
import { bringUp, takeDown } from "./lifecycle";
import { ConsoleLink, consoleUnreachable } from "./link/console-link";
import { Outbox } from "./link/outbox";
import { log } from "./log";
import { beOnlyWorkerIn } from "./only-worker";
import { placesFromEnvironment } from "./places";
import { runPracticeWriter } from "./practice/practice-writer";
import { PracticeWriters, WRITER_WORD } from "./practice/practice-writers";
import { ActiveRuns } from "./runs/active-runs";
import { ExecSessions } from "./snapshots/exec-sessions";
import { KeptSnapshots } from "./snapshots/kept-snapshots";
import { retryStuck } from "./snapshots/undo";
import { undoerFor } from "./snapshots/undo-steps";
import { answerHostMethod, hostHandlers } from "./socket/host-handlers";
import { isServed, LocalSocket } from "./socket/local-socket";
import { ActivityWatch } from "./telemetry/activity-watch";
import { tellReady } from "./tell-systemd";
import { listVolumes } from "./volumes/discovery";
import { KnownVolumes } from "./volumes/known-volumes";

const CONSOLE_PREFIX = "console.";
const CHANGES_VOLUMES = /^(volume\.(at|de)tach|practice\..+|host\.repair)$/;
const DRAIN_MS = 3000;
const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

async function startWorker(): Promise<void> {
  // From the first moment on: a worker that is told to end while it comes up still takes down what it brought up.
  const ended = new Promise<string>((told) => {
    for (const signal of STOP_SIGNALS) process.on(signal, () => told(signal));
  });
  const places = placesFromEnvironment();
  if (await isServed(places.socket)) throw new Error(`another worker serves ${places.socket}`);
  await mkdir(join(places.home, "worker"), { recursive: true, mode: 0o700 });
  await chmod(join(places.home, "worker"), 0o700);
  await mkdir(places.run, { recursive: true, mode: 0o700 });
  for (const directory of [places.run, join(places.home, "worker")]) {
    await beOnlyWorkerIn(directory, join(directory, "worker.lock"));
  }

  const known = new KnownVolumes(places);
  const engine = new EngineProgram(places.native);
  const host: Host = {
    places,
    known,
    engine,
    caches: new CacheLocations(places, known),
    writers: new PracticeWriters(places),
    undoer: undoerFor(places, engine),
  };
  const outbox = new Outbox(places.outbox);
  await outbox.load();
  const runs = new ActiveRuns(host, (runId, event) => outbox.append(runId, event));
  const sessions = new ExecSessions(host);
  const snapshots = new KeptSnapshots(host);
  await bringUp(host, runs, snapshots);
  known.onSilent = (volume) => {
    const work = known.exclusively(async () => {
      if (!(await takeUpWaiting(host, volume))) return;
      await retryStuck();
      await snapshots.forgetLost();
    });
    work.catch((err: unknown) => log.error({ err, volume: volume.record.name }, "the waiting device stays so"));
  };

  // After the answer to whoever asked; engines, mounts and writers stay for the successor.
  const endForRestart = () => setImmediate(() => void stop("restart", { detach: false }));
  const supervised = process.env.STILLFRAME_SUPERVISED === "1";
  const handlers = hostHandlers({
    host,
    runs,
    sessions,
    snapshots,
    endForRestart: supervised ? endForRestart : null,
  });
  const activity = new ActivityWatch(known);
  const url = process.env.STILLFRAME_CONSOLE_URL || null;
  const link =
    url === null
      ? null
      : new ConsoleLink(url.replace(/\/$/, ""), places, outbox, known, {
          answer: async (method, params) => answerHostMethod(handlers, method, params, null),
          listVolumes: () => listVolumes(known),
          activeRuns: () => runs.ids(),
          activity,
        });
  const socket = new LocalSocket(places.socket, async (method, params, caller) => {
    if (!method.startsWith(CONSOLE_PREFIX)) {
      const result = await answerHostMethod(handlers, method, params, caller);
      // Before the answer: who made a volume may name it in a job next.
      if (CHANGES_VOLUMES.test(method)) await link?.tellVolumes();
      return result;
    }
    if (link === null) throw consoleUnreachable(null, null);
    return link.ask(method.slice(CONSOLE_PREFIX.length), params);
  });
  await socket.listen();
  const linked = link?.run();
  log.info({ socket: places.socket, console: url }, "the worker is up");
  await tellReady();

  let stopping = false;
  const stop = async (reason: string, { detach } = { detach: process.env.STILLFRAME_DETACH_ON_EXIT === "1" }) => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, "the worker stops");
    await runs.interruptAll();
    await sessions.endAll();
    await socket.close();
    if (detach) await takeDown(host, snapshots);
    await link?.drain(DRAIN_MS);
    link?.stop();
    activity.stop();
    await linked;
    await outbox.close();
    for (const { watch } of known.allAttached()) watch.stop();
    process.exit(0);
  };
  void ended.then((signal) => stop(signal));
}

const start = process.argv[2] === WRITER_WORD ? runPracticeWriter(process.argv[3] ?? "") : startWorker();
start.catch((err: unknown) => {
  log.fatal({ err }, messageOf(err));
  process.exit(1);
});
