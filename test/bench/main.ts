/** `npm run bench`: the engine against the raw loop device, on one backing file, in one interleaved run. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mustRun } from "@/server/worker/programs/run-program";
import { type Job, jobs, measure, verify, writes } from "./fio-job";
import { type Place, type Subject, subjects } from "./subjects";
import { median, table, type Values } from "./summary";

const help = `Usage: npm run bench -- [options]

Runs fio on the same backing file as a raw loop device (direct, 4 KiB sectors), through the engine without a snapshot, and
with a snapshot on first and on second writes; interleaved, so that all share what else the machine does. Needs root.

  --rounds N    how often everything is repeated (default 3)
  --seconds N   longest time of one measurement (default 3)
  --size MIB    size of the backing file (default 1024)
  --dir PATH    where backing file and cache are kept (default /dev/shm, so that no disk is measured)
  --json        print one JSON document instead of the table
`;

interface Options {
  rounds: number;
  seconds: number;
  bytes: number;
  directory: string;
  json: boolean;
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "3" },
      size: { type: "string", default: "1024" },
      dir: { type: "string", default: existsSync("/dev/shm") ? "/dev/shm" : tmpdir() },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const whole = (name: string, text: string, least: number) => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < least)
      throw new Error(`--${name} must be a whole number from ${least} on`);
    return number;
  };
  return {
    rounds: whole("rounds", values.rounds, 1),
    seconds: whole("seconds", values.seconds, 1),
    bytes: whole("size", values.size, 128) * 1024 * 1024,
    directory: values.dir,
    json: values.json,
  };
}

interface Results {
  values: Values;
  /** Cache bytes for each byte changed, on first writes. */
  cachePerByte: number[];
}

async function oneRun(subject: Subject, job: Job, place: Place, seconds: number, results: Results): Promise<void> {
  await subject.use(place, async (device) => {
    const { value, writtenBytes } = await measure(job, device.path, seconds);
    const ofSubject = results.values.get(subject.name) ?? new Map<string, number[]>();
    results.values.set(subject.name, ofSubject);
    ofSubject.set(job.name, [...(ofSubject.get(job.name) ?? []), value]);
    const cacheUsed = await device.cacheUsed();
    if (subject.name === "first writes" && cacheUsed !== null) results.cachePerByte.push(cacheUsed / writtenBytes);
    await device.checkImage();
    if (writes(job) && job.depth > 1) await verify(device.path);
  });
}

async function bench(options: Options): Promise<Results> {
  const directory = await mkdtemp(join(options.directory, "stillframe-bench-"));
  const place: Place = { backing: join(directory, "backing.img"), bytes: options.bytes, directory };
  const results: Results = { values: new Map(), cachePerByte: [] };
  try {
    const count = `count=${options.bytes / 1024 / 1024}`;
    await mustRun("dd", ["if=/dev/urandom", `of=${place.backing}`, "bs=1M", count, "status=none"]);
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const job of jobs) {
        for (const subject of subjects) {
          if (subject.writesOnly && !writes(job)) continue;
          process.stderr.write(`round ${round} of ${options.rounds}: ${job.name}, ${subject.name}\n`);
          await oneRun(subject, job, place, options.seconds, results);
        }
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return results;
}

const options = readOptions();
if (options === null) {
  process.stdout.write(help);
} else {
  const { values, cachePerByte } = await bench(options);
  const perByte = median(cachePerByte);
  if (options.json) {
    const plain = Object.fromEntries([...values].map(([name, ofJobs]) => [name, Object.fromEntries(ofJobs)]));
    process.stdout.write(`${JSON.stringify({ ...options, values: plain, cacheBytesPerByteChanged: perByte })}\n`);
  } else {
    const what = "Median of the rounds, and × the raw loop of the same round. us: less is better; else more.";
    const verified =
      "Data written at depth 4 and above was read back and verified; each frozen image was compared with its instant.";
    const cache = `Cache bytes for each byte changed, on first writes: ${perByte.toFixed(3)}`;
    process.stdout.write(`${what}\n\n${table(values, jobs)}\n\n${cache}\n${verified}\n`);
  }
}
