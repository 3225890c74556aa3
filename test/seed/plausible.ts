/** Hosts, jobs and runs such as a company has, the same for the same seed. Runs are told in events, as a worker does. */
import { type JobInput, jobInputSchema, type RunSpec } from "@/server/core/contracts/job";
import type { RunEvent, VolumeResult } from "@/server/core/contracts/run";
import type { Volume } from "@/server/core/contracts/volume";
import type { Random } from "../soak/random";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const kinds = ["db", "web", "mail", "files", "build", "erp", "wiki", "git"] as const;
const places = ["/srv/data", "/var/lib/postgresql", "/home", "/var/mail", "/srv/www", "/opt/app"] as const;
const plans = ["Nightly", "Hourly", "Weekly", "Before the update of", "Archive of"] as const;

export const hostName = (i: number) =>
  `${kinds[i % kinds.length]}${String(Math.floor(i / kinds.length) + 1).padStart(2, "0")}`;

export function volumesOf(random: Random): Volume[] {
  const count = random.whole(1, 4);
  return places.slice(0, count).map((mount): Volume => {
    const sizeBytes = random.whole(20, 2000) * GIB;
    return {
      name: mount,
      mount,
      device: `/dev/loop${random.whole(0, 63)}`,
      source: `/dev/vg0/${mount.slice(1).replaceAll("/", "-")}`,
      fsType: random.fraction() < 0.7 ? "ext4" : "xfs",
      sizeBytes,
      usedBytes: Math.floor(sizeBytes * random.fraction() * 0.9),
      provider: "engine",
      state: random.fraction() < 0.9 ? "attached" : "available",
      practice: false,
      writer: false,
    };
  });
}

export function job(
  i: number,
  host: { id: string; name: string; volumes: readonly Volume[] },
  random: Random,
): JobInput {
  const some = host.volumes.filter(() => random.fraction() < 0.7);
  return jobInputSchema.parse({
    name: `${plans[i % plans.length]} ${host.name} ${i + 1}`,
    hostId: host.id,
    selection: { volumes: (some.length > 0 ? some : host.volumes).map(({ name }) => name) },
    openFile: { oneAtATime: random.fraction() < 0.3 ? "on" : "inherit" },
    destination: { kind: "command", command: "rsync -a --files-from=- / backup.example.net::store" },
  });
}

/** All that a worker told of one run, from its start at `at` (milliseconds) to its end. */
export function runEvents(spec: RunSpec, at: number, random: Random): RunEvent[] {
  const names = spec.selection.volumes;
  const groups = spec.mode === "allAtOnce" ? [names] : names.map((name) => [name]);
  const failed = random.fraction() < 0.06;
  let now = at;
  const time = (afterMs = 0) => {
    now += afterMs;
    return new Date(now).toISOString();
  };
  const events: RunEvent[] = [{ type: "started", at: time(), mode: spec.mode, groups: [...groups] }];
  for (const [group, volumes] of groups.entries()) {
    const waitedMs = random.whole(0, 40_000);
    events.push({ type: "phase", at: time(20), group, phase: "reserving" });
    for (const volume of volumes)
      events.push({
        type: "cacheReserved",
        at: time(5),
        group,
        volume,
        location: "/var/cache/stillframe",
        reservedBytes: 256 * MIB,
        maxBytes: 4 * GIB,
      });
    events.push({ type: "phase", at: time(5), group, phase: "waitingForQuiet" });
    const from = time(waitedMs);
    events.push({ type: "quietEnded", at: time(250), group, from, waitedMs, timedOut: false });
    events.push({ type: "phase", at: time(1), group, phase: "freezing" });
    const takenAt = time(random.whole(5, 60));
    events.push(
      {
        type: "frozen",
        at: takenAt,
        group,
        frozenMs: random.whole(5, 60),
        spreadMs: 0,
        volumes: volumes.map((name) => ({ name, takenAt })),
      },
      { type: "phase", at: time(1), group, phase: "snapshotted" },
      { type: "phase", at: time(1), group, phase: "backingUp" },
    );
    const last = failed && group === groups.length - 1;
    const took = random.whole(60_000, 3_600_000);
    now += took;
    if (last) events.push(failure(time(), random));
    for (const name of volumes) {
      const result = ended(name, takenAt, last, random);
      events.push({ type: "snapshotReleased", at: time(30), group, volume: name, cause: "done" });
      events.push({ type: "volumeEnded", at: time(5), group, result, backupSnapshot: null });
    }
    if (last) return [...events, { type: "ended", at: time(10), outcome: "failed", code: "SF-103" }];
    events.push({ type: "phase", at: time(5), group, phase: "releasing" });
    events.push({ type: "phase", at: time(200), group, phase: "done" });
  }
  return [...events, { type: "ended", at: time(10), outcome: "succeeded", code: null }];
}

function ended(name: string, takenAt: string, failed: boolean, random: Random): VolumeResult {
  return {
    name,
    provider: "engine",
    takenAt,
    state: failed ? "failed" : "succeeded",
    code: failed ? "SF-103" : null,
    cacheUsedBytes: random.whole(1, 2000) * MIB,
    bytesRead: random.whole(1, 400) * GIB,
    preservedBlocks: random.whole(100, 500_000),
    skippedFreeBlocks: random.whole(100, 500_000),
    cacheLocation: "/var/cache/stillframe",
    cacheMaxBytes: 4 * GIB,
  };
}

function failure(at: string, random: Random): RunEvent {
  const line = ["rsync: connection unexpectedly closed", "write failed: No space left on device (28)"][
    random.whole(0, 1)
  ];
  return {
    type: "failure",
    at,
    code: "SF-103",
    volume: null,
    message: `The backup program ended with exit code 12: ${line}`,
    evidence: { exitCode: 12, lines: [line ?? ""] },
  };
}
