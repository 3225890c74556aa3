/**
 * A mount namespace of its own in which the frozen images lie at the volumes' original paths.
 *
 * It is pinned by a bind mount of its namespace file at `<run>/ns/<id>`, so it exists without a process and any
 * program enters it with `nsenter --mount=<file>`. The pin's parent mount must be private, else the kernel refuses
 * to bind a namespace file there; the parent is bound onto itself while there is a pin and unbound after the last.
 * Ending a namespace first ends every process in it: they keep its mounts busy.
 */
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { monotonicMs } from "../clock";
import { FaultError } from "../fault";
import type { Places } from "../places";
import { endProcess, processesInNamespace } from "../programs/processes";
import { mustRun, ProgramFailed, type ProgramResult, runProgram } from "../programs/run-program";
import { deviceName, deviceNumber, loopBackingFile } from "../volumes/block-device";
import { parseMountInfo, readMounts } from "../volumes/mount-table";
import type { MountedAt } from "../volumes/mounted-at";
import { frozenOptions, unmount } from "../volumes/mounting";

/** A process that the kernel holds in a read of a volume outlives its kill until that volume's engine answers. */
const ENDED_WITHIN_MS = 10_000;
/** The last mount of a frozen image waits for its engine; a run that ends is not to wait a minute for one that hangs. */
const LET_GO_WITHIN_MS = 15_000;

export interface FrozenImage extends Pick<MountedAt, "points" | "parts" | "fsType"> {
  device: string;
}

export function namespaceFile(places: Places, id: string): string {
  return join(places.namespaces, id);
}

/**
 * Makes and pins a namespace that looks like the host's. It is a slave: what is mounted inside stays inside, while an
 * unmount on the host (where its mounts are shared) lets go of the file system here too.
 */
export async function pinNamespace(places: Places, id: string): Promise<string> {
  const file = namespaceFile(places, id);
  await inTurn(async () => {
    await mkdir(places.namespaces, { recursive: true, mode: 0o700 });
    if (!(await isBound(places))) await mustRun("mount", ["-n", "--bind", places.namespaces, places.namespaces]);
    // Also when it was there: whoever bound it may have been killed right after.
    await mustRun("mount", ["-n", "--make-private", places.namespaces]);
    await (await open(file, "w", 0o600)).close();
  });
  await unsharePinned(file);
  await leaveOthers(places, file);
  return file;
}

/**
 * The kernel binds a namespace file only where the new namespace is younger than the one it is bound in. Linux 6.18
 * tells age by a number that each CPU draws from a block of its own, so seen from a namespace other than the first
 * (a service with private mounts) a new one can seem older. On the CPU that made ours it never does.
 */
async function unsharePinned(file: string): Promise<void> {
  const make = ["unshare", `--mount=${file}`, "--propagation", "slave", "true"];
  for (const cpu of [null, ...cpus().keys()]) {
    const [program = "", ...args] = cpu === null ? make : ["taskset", "-c", String(cpu), ...make];
    const result = await runProgram(program, args);
    if (result.exitCode === 0) return;
    if (!/Invalid argument/.test(result.stderr)) throw new ProgramFailed("unshare", result);
  }
  throw new Error("the kernel lets no mount namespace be kept here: start the worker outside of namespaces of its own");
}

/** Another installation's volumes are none of ours: held here, they could not be detached there. */
async function leaveOthers(places: Places, namespace: string): Promise<void> {
  const others: string[] = [];
  for (const { mountPoint, device, fsType } of await readMounts()) {
    const served = fsType === "fuse.stillframe" ? mountPoint : await loopBackingFile(device);
    if (served === null || served.startsWith(`${places.run}/`)) continue;
    if (fsType === "fuse.stillframe" || /\/fuse\/(live|snap-[^/]+)$/.test(served)) others.push(mountPoint);
  }
  if (others.length > 0) await inNamespace(namespace, ["umount", "-n", "--lazy", ...others.reverse()]);
}

/**
 * Puts each frozen image where the live file system is, inside the namespace only, and parts of it where those are
 * bound. The live mounts go first, deepest first, so the namespace holds none of them; the images come outermost first.
 * Throws where a path then leads to anything but its image: live files are never read in its place.
 */
export async function mountFrozen(namespace: string, images: readonly FrozenImage[]): Promise<void> {
  const byLength = <T extends { at: string }>(all: T[]): T[] => all.sort((a, b) => a.at.length - b.at.length);
  const outermost = byLength(images.flatMap((image) => image.points.map((at) => ({ ...image, at }))));
  const parts = byLength(
    images.flatMap(({ device, points: [whole], parts }) =>
      whole === undefined ? [] : parts.map(({ root, point }) => ({ device, from: join(whole, root), at: point })),
    ),
  );
  for (const { at } of byLength([...outermost, ...parts]).reverse()) {
    const result = await inNamespace(namespace, ["umount", "-n", "-R", at]);
    if (result.exitCode !== 0 && !/not mounted|no mount point/i.test(result.stderr)) {
      throw new Error(`the live mount ${at} cannot be left in the namespace: ${result.stderr.trim()}`);
    }
  }
  for (const { device, at, fsType } of outermost) {
    await mustMount(namespace, at, ["-t", fsType, "-o", frozenOptions(fsType).join(","), device]);
  }
  for (const { from, at } of parts) await mustMount(namespace, at, ["--bind", from]);
  for (const { device, at } of [...outermost, ...parts]) await mustLeadTo(namespace, at, device);
}

async function mustMount(namespace: string, at: string, what: string[]): Promise<void> {
  const { exitCode, stderr } = await inNamespace(namespace, ["mount", "-n", ...what, at]);
  if (exitCode !== 0) throw new Error(`the frozen image of ${at} cannot be mounted: ${stderr.trim()}`);
}

async function mustLeadTo(namespace: string, path: string, device: string): Promise<void> {
  const found = await inNamespace(namespace, ["stat", "-c", "%d", path]);
  const table = await inNamespace(namespace, ["cat", "/proc/self/mountinfo"]);
  const under = deviceName(Number(found.stdout.trim()));
  // A file system with a number of its own (btrfs) is told by its source.
  const bySource = parseMountInfo(table.stdout).some((m) => m.device === under && m.source === device);
  if (found.exitCode === 0 && (bySource || under === (await deviceNumber(device)))) return;
  throw new Error(`the frozen image of ${path} is hidden by another file system`);
}

/** Runs a short program inside a namespace. */
export function inNamespace(namespace: string, args: string[], env?: Record<string, string>): Promise<ProgramResult> {
  return runProgram("nsenter", [`--mount=${namespace}`, "--", ...args], { ...(env && { env }) });
}

/** Ends every process inside, then lets the namespace go: whatever there is of it, also of one that was never finished. */
export async function endNamespace(places: Places, id: string): Promise<{ ended: number }> {
  const file = namespaceFile(places, id);
  const found = await stat(file).catch(() => null);
  let ended = 0;
  const pinned = (await readMounts()).some((m) => m.mountPoint === file);
  if (found !== null && pinned) {
    const deadline = monotonicMs() + ENDED_WITHIN_MS;
    // A process may be making another one while we look.
    for (let inside = await processesInNamespace(found.ino); inside.length > 0; ) {
      await Promise.all(inside.map((name) => endProcess(name)));
      ended += inside.length;
      inside = await processesInNamespace(found.ino);
      if (inside.length > 0 && monotonicMs() > deadline) {
        const who = inside.map(({ pid }) => pid).join(", ");
        throw new FaultError("busy", `the namespace ${id} holds processes that cannot be ended: ${who}`);
      }
    }
    await unmount(file, LET_GO_WITHIN_MS);
  }
  await inTurn(async () => {
    await rm(file, { force: true });
    await unbindWhenEmpty(places);
  });
  return { ended };
}

let lastTurn: Promise<void> = Promise.resolve();

/** The directory of the pins is bound for the first and unbound after the last: one run at a time looks which it is. */
function inTurn(work: () => Promise<void>): Promise<void> {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => {}); // whoever asked hears of it
  return turn;
}

async function unbindWhenEmpty(places: Places): Promise<void> {
  const left = await readdir(places.namespaces).catch(() => ["unknown"]);
  if (left.length === 0 && (await isBound(places))) await unmount(places.namespaces);
}

async function isBound(places: Places): Promise<boolean> {
  return (await readMounts()).some((m) => m.mountPoint === places.namespaces);
}
