/** A host of the company: says what its worker would say, and does with volumes nothing at all. */
import type { Doctor } from "@/server/core/contracts/volume";
import { ScriptedWorker } from "../../fixtures/scripted-worker";
import { type HostName, hosts, locations, volumes } from "./company";
import { ZONE } from "./moment";

const check = (name: string, detail: string, ok = true, fix: string | null = null) => ({
  name,
  ok,
  required: ok,
  detail,
  fix,
});
const NO_UBLK = "/dev/ublk-control: No such file or directory (os error 2)";
const doctor: Doctor = {
  ok: true,
  checks: [
    check("Kernel", hosts.db01.kernel),
    check("Engine", "stillframe-engine 0.1.0 answers"),
    check("Snapshot", "taken, read and released in 84 ms"),
    check("restic", "restic 0.14.0"),
    check("transport ublk", NO_UBLK, false, `Volumes cannot be served by ublk here: ${NO_UBLK}`),
  ],
};

/** Connects it; `empty`: a server on which nothing was set up yet. */
export async function connectHost(
  name: HostName,
  origin: string,
  key: string,
  { empty = false, activeRuns = [] as string[] } = {},
) {
  const worker = new ScriptedWorker();
  worker.hostname = hosts[name].hostname;
  worker.version = "0.1.0";
  worker.kernel = hosts[name].kernel;
  worker.timeZone = ZONE;
  worker.outboxId = `outbox of ${name}`;
  worker.activeRuns = activeRuns;
  worker.answers["cache.list"] = () =>
    empty
      ? locations[name].slice(0, 1).map((one) => ({ ...one, reservedBytes: 0, usedBytes: 0, snapshots: [] }))
      : locations[name];
  worker.answers["host.doctor"] = () => doctor;
  worker.answers["restore.list"] = () => listing;
  worker.answers["restore.start"] = () => ({ restoredFiles: 3, restoredBytes: 4096 });
  worker.answers["run.cancel"] = () => ({});
  await worker.connect(origin, key);
  worker.volumes(empty ? [] : volumes[name]);
  return worker;
}

const listing = [
  { path: "/home", type: "dir", sizeBytes: 0, modifiedAt: null },
  { path: "/srv/documents", type: "dir", sizeBytes: 0, modifiedAt: null },
  { path: "/var/lib/postgresql", type: "dir", sizeBytes: 0, modifiedAt: null },
];
