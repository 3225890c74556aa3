/** `host.doctor`: whether this host has what Stillframe needs, and what to do where it has not. */
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import type { Doctor } from "@/server/core/contracts/volume";
import { messageOf } from "../fault";
import type { Host } from "../host";
import { runProgram } from "../programs/run-program";
import { selfTest } from "./self-test";
import { shortFreezeCheck } from "./short-freeze";

type Check = Doctor["checks"][number];

/** Programs that the worker calls, and the Debian package of each. */
const tools: { program: string; packageName: string; required: boolean; why: string }[] = [
  { program: "mount", packageName: "mount", required: true, why: "mounts volumes and images" },
  { program: "nsenter", packageName: "util-linux", required: true, why: "runs backups beside frozen images" },
  { program: "unshare", packageName: "util-linux", required: true, why: "makes the namespace of frozen images" },
  { program: "blkid", packageName: "util-linux", required: true, why: "recognises file systems" },
  { program: "restic", packageName: "restic", required: false, why: "restic destinations" },
  { program: "mkfs.ext4", packageName: "e2fsprogs", required: false, why: "practice volumes with ext4" },
  { program: "mkfs.xfs", packageName: "xfsprogs", required: false, why: "practice volumes with xfs" },
];

export async function examineHost(host: Host, withSelfTest: boolean): Promise<Doctor> {
  const checks: Check[] = [rootCheck(), ...(await nativeChecks(host)), ...(await Promise.all(tools.map(toolCheck)))];
  if (withSelfTest) checks.push(await selfTestCheck(host));
  return { ok: checks.every((c) => c.ok || !c.required), checks };
}

function rootCheck(): Check {
  const ok = process.getuid?.() === 0;
  const detail = ok ? "the worker runs as root" : "the worker does not run as root";
  return { name: "root", ok, required: true, detail, fix: ok ? null : "Start the worker as root." };
}

async function nativeChecks(host: Host): Promise<Check[]> {
  const programs = ["stillframe-engine", "stillframe-freeze", "stillframe-watch"];
  const checks: Check[] = [];
  for (const program of programs) {
    const path = join(host.places.native, program);
    const ok = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    const detail = ok ? path : `${path} is not there`;
    const fix = ok ? null : "Build the native programs: cargo build --release in native/.";
    checks.push({ name: program, ok, required: true, detail, fix });
  }
  try {
    const probe = await host.engine.probe();
    checks.push({ name: "kernel", ok: true, required: false, detail: probe.kernel, fix: null });
    for (const { name, ok, required, detail } of probe.features) {
      const fix = ok ? null : `This kernel or container does not offer ${name}: ${detail}`;
      checks.push({ name, ok, required, detail, fix });
    }
    for (const { name, ok, detail } of probe.transports) {
      const fix = ok ? null : `Volumes cannot be served by ${name} here: ${detail}`;
      checks.push({ name: `transport ${name}`, ok, required: false, detail, fix });
    }
  } catch (error) {
    const fix = "Build the native programs and look at the worker's log.";
    checks.push({ name: "kernel features", ok: false, required: true, detail: messageOf(error), fix });
  }
  checks.push(await pathWatchCheck(join(host.places.native, "stillframe-watch")), await shortFreezeCheck());
  return checks;
}

/** Without it every write counts for a quiet window, and who writes is known by open files only. */
async function pathWatchCheck(program: string): Promise<Check> {
  const name = "path watch";
  const told = await runProgram(program, ["--check"]).catch((error: unknown) => messageOf(error));
  const ok = typeof told === "object" && told.exitCode === 0;
  const said = typeof told === "object" ? told.stdout.trim() || told.stderr.trim() : told;
  const detail = ok ? "the kernel tells who writes to which file" : said;
  const fix = ok ? null : "Writes to ignored paths count for the quiet time here: the kernel does not tell of them.";
  return { name, ok, required: false, detail, fix };
}

async function toolCheck({ program, packageName, required, why }: (typeof tools)[number]): Promise<Check> {
  const found = await runProgram("/bin/sh", ["-c", 'command -v "$1"', "sh", program]);
  const ok = found.exitCode === 0;
  const detail = ok ? `${found.stdout.trim()}: ${why}` : `not installed: ${why}`;
  return { name: program, ok, required, detail, fix: ok ? null : `apt-get install ${packageName}` };
}

async function selfTestCheck(host: Host): Promise<Check> {
  const name = "self-test";
  try {
    const detail = await selfTest(host);
    return { name, ok: true, required: true, detail, fix: null };
  } catch (error) {
    return {
      name,
      ok: false,
      required: true,
      detail: messageOf(error),
      fix: "The failing step is named; the checks above tell what this host lacks.",
    };
  }
}
