/** `npm run soak:ignored`: whether a window that was claimed quiet, but for ignored paths, was; until the time is over. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { awaitQuiet } from "@/server/worker/quiet/quiet-monitor";
import { type FileSystem, scratchDirectory } from "../../fixtures/attached-volume";
import { Cleanup } from "../../fixtures/cleanup";
import { onInterruption } from "../../fixtures/interruption";
import { nativeDirectory, pause } from "../../fixtures/native-program";
import { watchPrograms } from "../../fixtures/watch-programs";
import { attachWatched, type WatchedVolume } from "../../fixtures/watched-volume";
import { Killer } from "../killer";
import { Random } from "../random";
import { Tally } from "../tally";
import { type Claim, type ForeignWrite, nearClaims, type Way, ways, wrongClaims } from "./claims";
import { writeAsynchronously, writeForeign, writeIgnored } from "./loads";

const help = `Usage: npm run soak:ignored -- [options]

Two volumes, ext4 and xfs: programs write to ignored paths all the time, others elsewhere now and then (buffered, not synced,
direct, mapped, asynchronously), and windows without a write elsewhere are waited for again and again, while engines and the
program that tells whose writes they are get killed. At the end no write elsewhere may lie inside a window. Needs root, fio and
xfs_io. Exit status: 0 no such write, 1 one, or nothing was tried, 2 wrong usage, 130 interrupted.

  --seconds N      how long (default 120)
  --seed TEXT      repeats the choices of a run that printed this seed
  --kill-every MS  mean time between two kills of one volume's engine, and of the program that tells (default 8000; 0: none)
  --rest MS        mean rest of each writer elsewhere (default 4000)
`;

/** What a report takes from the engine to the worker, beside what this program was late. */
const ON_THE_WAY_MS = 50;
const fileSystems: FileSystem[] = ["ext4", "xfs"];

const tally = new Tally((line) => void process.stderr.write(`${line}\n`));
const stop = new AbortController();
const said = { anew: 0, counting: new Map<string, number>() };
let waits = 0;
let watchKills = 0;
let interrupted = false;

function readOptions() {
  const { values } = parseArgs({
    options: {
      seconds: { type: "string", default: "120" },
      seed: { type: "string", default: Date.now().toString(36) },
      "kill-every": { type: "string", default: "8000" },
      rest: { type: "string", default: "4000" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const number = (name: "seconds" | "kill-every" | "rest", least: number) => {
    const value = Number(values[name]);
    if (!Number.isFinite(value) || value < least) throw new Error(`--${name} must be a number from ${least} on`);
    return value;
  };
  const killEveryMs = number("kill-every", 0);
  return { seconds: number("seconds", 10), seed: values.seed, killEveryMs, restMs: number("rest", 1) };
}
type Options = NonNullable<ReturnType<typeof readOptions>>;

function tell(_: string, text: string): void {
  if (text.includes("it was started again")) said.anew += 1;
  else if (text.includes("count for the quiet window")) said.counting.set(text, (said.counting.get(text) ?? 0) + 1);
}

/** Waits for windows of any length; returns those that it was told of. */
async function claimWindows({ watched, mount }: WatchedVolume, random: Random): Promise<Claim[]> {
  const claims: Claim[] = [];
  const volume = watched.record.name;
  while (!stop.signal.aborted) {
    const minimumMs = random.whole(250, 700);
    const late = monitorEventLoopDelay({ resolution: 5 });
    late.enable();
    const quiet = { minimumMs, timeoutMs: 8000, atTimeout: "snapshot" as const, ignorePaths: [join(mount, "log")] };
    const how = { signal: stop.signal, mode: "allAtOnce" as const, native: nativeDirectory, tell };
    const { from } = await awaitQuiet([watched], quiet, how);
    late.disable();
    waits += 1;
    if (from !== null) {
      const begin = Date.parse(from);
      claims.push({ volume, from: begin, to: begin + minimumMs, lateMs: ON_THE_WAY_MS + late.max / 1e6 });
    }
    await pause(random.whole(0, 300));
  }
  return claims;
}

async function killWatchPrograms(everyMs: number, random: Random): Promise<void> {
  while (everyMs > 0 && !stop.signal.aborted) {
    await pause(Math.min(everyMs * 2 * random.fraction(), 10_000));
    const [one] = random.shuffled(watchPrograms());
    if (one === undefined || stop.signal.aborted) continue;
    process.kill(one, "SIGKILL");
    watchKills += 1;
  }
}

async function soak(cleanup: Cleanup, options: Options): Promise<{ claims: Claim[]; writes: ForeignWrite[] }> {
  const { seconds, seed, killEveryMs, restMs } = options;
  const directory = await scratchDirectory(cleanup);
  const volumes: WatchedVolume[] = [];
  for (const one of fileSystems) volumes.push(await attachWatched(cleanup, directory, one, one));
  const collect: (() => Promise<ForeignWrite[]>)[] = [];
  const ignored = [];
  for (const { volume, mount } of volumes) {
    ignored.push(...(await writeIgnored(cleanup, join(mount, "log"))));
    await mkdir(join(mount, "data"));
    for (const way of ways) {
      const random = new Random(seed, `${volume.name} ${way}`);
      const writer = { volume: volume.name, file: join(mount, "data", way), random, meanRestMs: restMs };
      if (way === "asynchronous") {
        const notes = join(directory, `${volume.name}-notes`);
        collect.push(await writeAsynchronously(cleanup, { ...writer, way }, notes, seconds));
      } else {
        const writes = writeForeign({ ...writer, way }, stop.signal);
        writes.catch(() => {}); // told when it is collected
        collect.push(() => writes);
      }
    }
  }
  const killers = volumes.map(
    ({ volume }) => new Killer(cleanup, volume, killEveryMs, new Random(seed, `${volume.name} kills`), tally),
  );
  setTimeout(() => stop.abort(), seconds * 1000).unref();
  const watching = killWatchPrograms(killEveryMs, new Random(seed, "watch"));
  const windows = volumes.map((one) => claimWindows(one, new Random(seed, `${one.volume.name} windows`)));
  const claims = (await Promise.all(windows)).flat();
  await watching;
  for (const killer of killers) await killer.stop();
  for (const { failure } of killers) if (failure !== null) throw failure;
  for (const program of ignored) if (!program.running) throw new Error(`a writer ended: ${program.output}`);
  if (interrupted) return { claims, writes: [] };
  const writes = [];
  for (const one of collect) writes.push(...(await one()));
  return { claims, writes };
}

function report(claims: Claim[], writes: ForeignWrite[]): boolean {
  const wrong = wrongClaims(claims, writes);
  const near = nearClaims(claims, writes);
  const made = (way: Way) => writes.filter((write) => write.way === way).length;
  const latest = Math.max(0, ...claims.map(({ lateMs }) => lateMs));
  const lines = [
    `${waits} waits, ${claims.length} windows (${fileSystems.map((one) => `${claims.filter((c) => c.volume === one).length} on ${one}`).join(", ")})`,
    `kills ${tally.kills} of an engine, ${tally.standbyKills} of one that stood by, ${tally.keeperKills} of a keeper, ` +
      `${watchKills} of stillframe-watch, which was started again ${said.anew} times within a wait`,
    `writes elsewhere, and windows within a second after one: ${ways.map((way) => `${way} ${made(way)}, ${near[way]}`).join("; ")}`,
    `the last ${latest.toFixed(0)} ms of a window at most were not judged: reports may have been so late`,
    ...[...said.counting].map(([text, times]) => `${times} times: ${text}`),
    `writes inside a window ${wrong.length}`,
    ...wrong.map(
      ([{ volume, from, to }, { way, begun, ended }]) =>
        `  ${volume}: one that was ${way}, from ${(begun - from).toFixed(0)} to ${(ended - from).toFixed(0)} ms of a window of ${to - from} ms`,
    ),
  ];
  const untried = ways.filter((way) => near[way] === 0);
  if (untried.length > 0)
    lines.push(`no window came soon after a write that was ${untried.join(", ")}: too little was tried`);
  process.stdout.write(`${lines.join("\n")}\n`);
  return wrong.length === 0 && untried.length === 0;
}

let options: Options | null;
try {
  options = readOptions();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${help}`);
  process.exit(2);
}
if (options === null) {
  process.stdout.write(help);
} else {
  onInterruption(() => {
    interrupted = true;
    stop.abort();
  });
  process.stderr.write(`seed ${options.seed}: --seed ${options.seed} repeats these choices\n`);
  const cleanup = new Cleanup();
  let result: Awaited<ReturnType<typeof soak>>;
  try {
    result = await soak(cleanup, options);
  } finally {
    stop.abort();
    await cleanup.run();
  }
  const sound = !interrupted && report(result.claims, result.writes);
  process.exit(interrupted ? 130 : sound ? 0 : 1);
}
