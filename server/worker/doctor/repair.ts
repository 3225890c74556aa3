/**
 * `host.repair`: takes up again what a crash, a full disk or an unmounting by hand left half done. It does what the
 * next start of the worker would do, while the worker runs, and leaves alone what a run is at.
 */
import type { Doctor } from "@/server/core/contracts/volume";
import { formatBytes } from "@/server/core/text/bytes";
import { restartEngine } from "../engine/restart";
import { engineSilent } from "../engine/unreachable";
import { messageOf } from "../fault";
import type { Host } from "../host";
import { log } from "../log";
import type { KeptSnapshots } from "../snapshots/kept-snapshots";
import { retryStuck } from "../snapshots/undo";
import { mountUnlessMounted, reattachVolume } from "../volumes/attach";
import type { KnownVolume } from "../volumes/known-volumes";

type Check = Doctor["checks"][number];

/** `inRun`: names of volumes that runs are at. Each check says what was found and what was done about it. */
export async function repairHost(host: Host, snapshots: KeptSnapshots, inRun: ReadonlySet<string>): Promise<Doctor> {
  const checks: Check[] = [];
  for (const record of host.known.all()) {
    checks.push(await checked(`volume ${record.name}`, () => repairKnown(host, record, inRun.has(record.name))));
  }
  checks.push(await checked("clean-up after runs", () => cleanUp(snapshots)));
  checks.push(await checked("cache files", () => removeOrphans(host)));
  return { ok: checks.every(({ ok }) => ok), checks };
}

/** `work` returns what was found and done; what it throws is what could not be repaired. */
async function checked(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, required: true, detail: await work(), fix: null };
  } catch (err) {
    log.error({ err, name }, "a repair failed");
    return { name, ok: false, required: true, detail: messageOf(err), fix: null };
  }
}

async function repairKnown(host: Host, record: KnownVolume, inRun: boolean): Promise<string> {
  if (record.suspended) return "detached by a person: left so";
  if (inRun) return "a run is at it: left alone";
  const attached = host.known.findAttached(record.name);
  if (attached === null) {
    await reattachVolume(host.known, host.engine, record);
    if (record.writer) await host.writers.start(record);
    return "it was not attached: attached anew";
  }
  if ((await engineSilent(attached, "")) !== null) {
    await restartEngine(host, attached);
    return "its engine did not answer: taken up anew";
  }
  if (await mountUnlessMounted(attached.device, record)) return `it was not mounted: mounted at ${record.mount} again`;
  return "in order";
}

async function cleanUp(snapshots: KeptSnapshots): Promise<string> {
  const { cleaned, left } = await retryStuck();
  await snapshots.forgetLost();
  if (left > 0) throw new Error(cleaned.join("; "));
  return cleaned.length === 0 ? "in order" : `cleaned up: ${cleaned.join("; ")}`;
}

async function removeOrphans(host: Host): Promise<string> {
  const { removed, freedBytes } = await host.caches.removeOrphans();
  if (removed.length === 0) return "in order";
  return `${removed.length} orphaned ${removed.length === 1 ? "file" : "files"} removed, ${formatBytes(freedBytes)} freed`;
}
