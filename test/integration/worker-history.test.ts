/** Write activity as a real worker measures it on a real volume. What its console makes of it: `console-history.test.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeActivity } from "@/server/core/contracts/activity";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { eventually } from "../fixtures/console-under-test";
import { WorkerUnderTest } from "../fixtures/worker-under-test";

const MIB = 1024 * 1024;
const cleanup = cleanupAfterEach();

test("a worker tells what was written to a volume, once; attached again the volume counts from nothing, without a jump", async () => {
  const worker = await WorkerUnderTest.start(cleanup);
  const told = (): VolumeActivity[] => worker.console.messages.flatMap((m) => (m.type === "activity" ? m.volumes : []));
  const bytes = (all: VolumeActivity[]) => all.reduce((sum, one) => sum + one.writeBytes, 0);
  const samples = () => worker.console.messages.flatMap((m) => (m.type === "samples" ? m.samples : []));
  /** Writes to the volume, and detaches it once its engine has reported that: so a summary ends. */
  const writeAndDetach = async () => {
    const already = samples().length;
    // Ten a second: by then new volumes are listened to.
    await eventually(() => samples().length >= already + 25, 60_000);
    const before = samples().at(-1)?.writeBytes ?? 0;
    writeFileSync(join(worker.mount("alpha"), "more"), Buffer.alloc(2 * MIB, 1), { flush: true });
    await eventually(() => (samples().at(-1)?.writeBytes ?? 0) >= before + 2 * MIB, 60_000);
    await worker.host.host("volume.detach", { name: "alpha" });
    return samples().at(-1)?.writeBytes ?? 0;
  };

  const { source } = await worker.host.host("practice.create", { name: "alpha", sizeBytes: 64 * MIB });
  worker.console.send({ type: "watch", on: true });
  const first = await writeAndDetach();
  await eventually(() => bytes(told()) >= 2 * MIB, 60_000);
  const once = told();
  // What unmounting writes may be in the one and not in the other.
  expect(bytes(once)).toBeLessThanOrEqual(first + MIB);

  await worker.host.host("volume.attach", { source, name: "alpha" });
  const second = await writeAndDetach();
  await eventually(() => bytes(told()) >= bytes(once) + 2 * MIB, 60_000);
  expect(bytes(told().slice(once.length))).toBeLessThanOrEqual(second + MIB);
  for (const [i, one] of told().entries()) {
    expect(one).toMatchObject({ volume: "alpha", measuredMs: one.toMs - one.fromMs });
    expect(one.quietLongestMs).toBeLessThanOrEqual(one.measuredMs);
    // Stretches follow each other without an overlap.
    if (i > 0) expect(one.fromMs).toBeGreaterThanOrEqual(told()[i - 1]?.toMs ?? 0);
  }
});
