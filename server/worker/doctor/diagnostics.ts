/** `host.diagnostics`: what somebody far away needs to understand this host, as text files. Secrets are taken out. */
import { open, readFile } from "node:fs/promises";
import os from "node:os";
import { basename, join } from "node:path";
import type { HostOutput } from "@/server/core/contracts/host-methods";
import { withoutSecrets } from "@/server/core/text/secrets";
import { engineLog } from "../engine/unreachable";
import { messageOf } from "../fault";
import type { Host } from "../host";
import { mustRun } from "../programs/run-program";
import { workerVersion } from "../version";
import { listVolumes } from "../volumes/discovery";
import { examineHost } from "./doctor";

const LOG_TAIL_BYTES = 256 * 1024;
const LOG_LINES = 1000;

type Part = { name: string; read: () => Promise<string> };

/** What cannot be read says so in its file. */
export async function hostDiagnostics(host: Host): Promise<HostOutput<"host.diagnostics">> {
  const key = (await readFile(host.places.hostKey, "utf8").catch(() => "")).trim();
  const files = await Promise.all(
    parts(host).map(async ({ name, read }) => {
      const text = await read().catch((error) => `This could not be read: ${messageOf(error)}\n`);
      return { name, text: withoutSecrets(text, [key]) };
    }),
  );
  return { files };
}

function parts(host: Host): Part[] {
  const { places, known, caches } = host;
  const engines = known.allAttached().map(({ record, runDirectory }) => ({
    name: `engines/${basename(runDirectory)}.log`,
    read: async () => `${record.name}\n${(await engineLog(runDirectory, LOG_LINES)).join("\n")}\n`,
  }));
  return [
    { name: "facts.json", read: async () => json(facts()) },
    { name: "os-release", read: () => readFile("/etc/os-release", "utf8") },
    { name: "doctor.json", read: async () => json(await examineHost(host, false)) },
    { name: "volumes.json", read: async () => json(await listVolumes(known)) },
    { name: "caches.json", read: async () => json(await caches.list()) },
    { name: "mountinfo", read: () => readFile("/proc/self/mountinfo", "utf8") },
    { name: "meminfo", read: () => readFile("/proc/meminfo", "utf8") },
    { name: "partitions", read: () => readFile("/proc/partitions", "utf8") },
    { name: "kernel.log", read: kernelLines },
    { name: "worker.log", read: () => tail(join(places.home, "log", "worker.log")) },
    ...engines,
  ];
}

function facts() {
  return {
    hostname: os.hostname(),
    kernel: `${os.type()} ${os.release()} ${os.version()}`,
    architecture: os.arch(),
    processors: os.cpus().length,
    memoryBytes: os.totalmem(),
    freeMemoryBytes: os.freemem(),
    loadAverage: os.loadavg(),
    uptimeSeconds: os.uptime(),
    workerVersion: workerVersion(),
    nodeVersion: process.version,
    workerUptimeSeconds: process.uptime(),
    workerMemory: process.memoryUsage(),
  };
}

async function kernelLines(): Promise<string> {
  const said = await mustRun("dmesg", ["--time-format", "iso"], { timeoutMs: 10_000 });
  return `${said.trimEnd().split("\n").slice(-LOG_LINES).join("\n")}\n`;
}

/** The end of a log, from the first whole line on. */
async function tail(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const end = Buffer.alloc(Math.min(size, LOG_TAIL_BYTES));
    const { bytesRead } = await file.read(end, 0, end.length, size - end.length);
    const text = end.toString("utf8", 0, bytesRead);
    return size > end.length ? text.slice(text.indexOf("\n") + 1) : text;
  } finally {
    await file.close();
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
