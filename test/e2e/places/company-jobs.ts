/** The company's jobs: each shows something of the form, the list or a failure. */
import { type JobInput, jobInputSchema } from "@/server/core/contracts/job";
import { retentionSchema } from "@/server/core/contracts/retention";
import { type HostName, hosts, volumes } from "./company";
import { ZONE } from "./moment";

const MIB = 1024 ** 2;

type Given = Omit<Partial<JobInput>, "schedule" | "selection"> & { paths?: string[]; excludes?: string[] };

function job(host: HostName, name: string, of: string[], schedule: unknown, { paths, excludes, ...more }: Given = {}) {
  return jobInputSchema.parse({
    name,
    hostId: hosts[host].id,
    selection: { volumes: of, paths, excludes },
    destination: { kind: "restic", repository: `/backup/${host}` },
    schedule,
    ...more,
  });
}
const daily = (...times: string[]) => ({ kind: "daily", times, zone: ZONE });
const id = (n: number) => `22222222-0000-4000-8000-00000000000${n}`;

/** `next`: its next start. */
export const jobs = {
  database: {
    id: id(1),
    next: "2026-11-13T01:00:00.000Z",
    input: job(
      "db01",
      "Nightly database",
      volumes.db01.map(({ name }) => name),
      daily("02:00"),
    ),
  },
  documents: {
    id: id(2),
    next: "2026-11-13T02:30:00.000Z",
    input: job("db01", "Documents", ["/srv/documents"], daily("03:30"), {
      paths: ["/srv/documents/contracts", "/srv/documents/drawings"],
      excludes: ["*.tmp", "~$*"],
      openFile: jobInputSchema.shape.openFile.parse({
        oneAtATime: "on",
        quiet: { minimumMs: 500, ignorePaths: ["/srv/documents/.index", "/srv/documents/drawings/autosave"] },
      }),
      destination: {
        kind: "restic",
        repository: "/backup/db01",
        retention: retentionSchema.parse({ daily: 7, weekly: 4, monthly: 12, prune: true }),
      },
    }),
  },
  home: {
    id: id(3),
    next: "2026-11-12T10:15:00.000Z",
    input: job("db01", "Home directories, hourly", ["/home"], {
      kind: "hourly",
      everyHours: 1,
      minute: 15,
      zone: ZONE,
    }),
  },
  web: {
    id: id(4),
    next: "2026-11-13T03:00:00.000Z",
    input: job("web01", "Web content", ["/srv/www"], daily("04:00")),
  },
  vault: {
    id: id(5),
    next: null,
    input: job("web01", "Web content to the vault, kept for the auditors until 2036", ["/srv/www"], null, {
      destination: { kind: "command", command: "rsync -a --files-from=- / vault.example.net::web" },
    }),
  },
  practice: {
    id: id(6),
    next: null,
    input: job("web01", "Practice", ["practice"], null, { destination: { kind: "command", command: "true" } }),
  },
  mail: {
    id: id(7),
    next: "2026-11-12T21:00:00.000Z",
    input: job("mail01", "Mailboxes", ["/var/mail"], daily("22:00"), {
      openFile: jobInputSchema.shape.openFile.parse({ cache: { maxBytes: 512 * MIB } }),
    }),
  },
} as const;
export type JobName = keyof typeof jobs;

/** Not started until somebody continues it. */
export const paused: JobName = "practice";
