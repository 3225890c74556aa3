/** How the company's runs failed, with the evidence that was kept. */
import type { EvidenceFor } from "@/server/core/errors/evidence";
import { errorTable } from "@/server/core/errors/table";
import { DAY, HOUR, NOW, SECOND } from "./moment";

const GIB = 1024 ** 3;

const fullAt = NOW - 7 * HOUR;
const cacheFull: EvidenceFor<"a000851c"> = {
  ...{ cause: "maximumReached", volume: "/srv/documents", mode: "allAtOnce", maxBytes: 3 * GIB, errno: null },
  ...{ whenFull: "release" },
  locations: [
    ...[
      {
        path: "/var/lib/stillframe/cache",
        freeBytes: 41 * GIB,
        reservedBytes: 9 * GIB,
        neededBytes: 3 * GIB,
        turnedDown: null,
      },
    ],
    ...[
      {
        path: "/mnt/scratch/stillframe",
        freeBytes: 18 * GIB,
        reservedBytes: 0,
        neededBytes: 3 * GIB,
        turnedDown: "less than 5 % would stay free",
      },
    ],
  ],
  curve: Array.from({ length: 60 }, (_, i) => ({
    at: new Date(fullAt - (60 - i) * 10 * SECOND).toISOString(),
    usedBytes: Math.round(3 * GIB * ((i + 1) / 60) ** 1.4),
  })),
  ...{
    needAllAtOnceBytes: Math.round(7.4 * GIB),
    needOneAtATimeBytes: Math.round(2.6 * GIB),
    orphanBytes: Math.round(14.2 * GIB),
  },
};
const noQuiet: EvidenceFor<"OFO-QUIET"> = {
  ...{
    mode: "allAtOnce",
    longestGapMs: 180,
    recurringGapMs: 140,
    minimumMs: 250,
    timeoutMs: 60_000,
    writesPerSecond: 38.4,
  },
  gapHistogram: [10, 50, 100, 250, 1000, null].map((upToMs, i) => ({
    upToMs,
    count: [1204, 610, 288, 41, 0, 0][i] ?? 0,
  })),
  writers: [
    {
      ...{ pid: 2114, command: "nginx: worker process", writes: 2143 },
      paths: ["/srv/www/log/access.log", "/srv/www/cache/a1/9f/3c"],
    },
    { pid: 3871, command: "php-fpm: pool www", writes: 88, paths: ["/srv/www/sessions/sess_4f1c90aa"] },
    { pid: 901, command: "rsyslogd", writes: null, paths: ["/srv/www/log/messages"] },
  ],
};
const missed: EvidenceFor<"SF-107"> = {
  cause: "consoleDown",
  holder: null,
  ...{ firstAt: "2026-11-10T21:00:00.000Z", dueAt: "2026-11-11T21:00:00.000Z", times: 2, graceMinutes: 60 },
};
const exitLines = [
  "sending incremental file list",
  "rsync: [sender] connection unexpectedly closed (12 bytes received so far)",
  "rsync error: error in rsync protocol data stream (code 12) at io.c(232)",
];
const hook: EvidenceFor<"SF-104"> = {
  ...{ hook: "Stop the queue", at: "preFreeze", cause: "exit", exitCode: 3, tookMs: 41_700, timeoutMs: 120_000 },
  volumes: ["/home", "/srv/documents", "/var/lib/postgresql"],
  lines: ["queue: 14 jobs in flight, waiting", "queue: still 2 jobs in flight", "queue: refused: a migration is on"],
};
const unreachableAt = NOW - 3 * DAY - 8.4 * HOUR;
const unreachable: EvidenceFor<"OFO-COMM"> = {
  ...{ subject: "engine", volume: "/srv/documents", processState: "absent", exitStatus: 137 },
  lastContactAt: new Date(unreachableAt).toISOString(),
  logLines: ["copied 218 GiB of blocks before their first overwrite", "killed by the kernel: out of memory"],
  versions: { console: "0.1.0", worker: "0.1.0", engine: "0.1.0" },
  socket: { path: "/run/stillframe/engine-srv-documents.sock", mode: "0600", exists: true },
};
const interrupted: EvidenceFor<"SF-106"> = {
  lastPhase: "backingUp",
  cleaned: ["snapshot of /home released", "snapshot of /srv/documents released", "3 cache files removed"],
};

/** By what is on their pages. */
export const failures = {
  hook: { code: "SF-104", message: errorTable["SF-104"].sentence(hook), evidence: hook },
  unreachable: {
    code: "OFO-COMM",
    volume: "/srv/documents",
    message: errorTable["OFO-COMM"].sentence(unreachable),
    evidence: unreachable,
  },
  interrupted: { code: "SF-106", message: errorTable["SF-106"].sentence(interrupted), evidence: interrupted },
  cacheFull: {
    code: "a000851c",
    volume: "/srv/documents",
    message: errorTable.a000851c.sentence(cacheFull),
    evidence: cacheFull,
  },
  noQuiet: {
    code: "OFO-QUIET",
    volume: "/srv/www",
    message: errorTable["OFO-QUIET"].sentence(noQuiet),
    evidence: noQuiet,
  },
  missed: { code: "SF-107", message: errorTable["SF-107"].sentence(missed), evidence: missed },
  exit: {
    code: "SF-103",
    message: `The backup program ended with exit code 12: ${exitLines[1]}`,
    evidence: { exitCode: 12, lines: exitLines },
  },
} as const;
