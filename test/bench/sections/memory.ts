/** Resident memory of the engine: what it has anyway, and what each preserved block adds. */
import { mustRun } from "@/server/worker/programs/run-program";
import { hashOf } from "../../fixtures/device-hash";
import type { Bench, Section } from "../bench";
import { limitRow, type Row } from "../figures";
import { residentBytes } from "../resident-memory";
import { mustBeFrozen, prepare, verifyEngine, withEngine } from "../subjects";

const how = ["bs=1M", "conv=notrunc", "status=none"];

/** Overwrites the device's blocks from `firstMib` on. */
async function overwrite(device: string, firstMib: number, mib: number): Promise<void> {
  const where = [`of=${device}`, `seek=${firstMib}`, `count=${mib}`, "oflag=direct"];
  await mustRun("dd", ["if=/dev/zero", ...where, ...how]);
}

/** The same content, so that it differs from what blocks are overwritten with. */
async function writeAgain(device: string): Promise<void> {
  await mustRun("dd", [`if=${device}`, `of=${device}`, "iflag=direct", "oflag=direct", ...how]);
}

async function run(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  await bench.withPlace((place) =>
    withEngine(place, async (attached) => {
      const { result, client, runDirectory, pid } = attached;
      const mib = place.bytes / 1024 / 1024;
      await writeAgain(result.device); // every buffer has been used once
      const idle = await residentBytes(pid);
      const before = await hashOf(place.backing);
      await prepare(attached, place, "s1");
      await client.request("activate", { snapshot: "s1" });
      await overwrite(result.device, 0, mib / 4);
      const quarter = await residentBytes(pid);
      await overwrite(result.device, mib / 4, (mib * 3) / 4);
      const full = await residentBytes(pid);
      const report = await client.request("describe", {});
      const blocks = report.snapshots[0]?.preservedBlocks ?? Number.NaN;
      if (blocks !== place.bytes / 4096) throw new Error(`${blocks} blocks are preserved, not all`);
      await mustBeFrozen(runDirectory, "s1", before);
      await verifyEngine(attached, place);
      rows.push(
        limitRow("resident memory for a preserved block", "bytes", (full - quarter) / ((blocks * 3) / 4), {
          atMost: 24,
        }),
      );
      rows.push(limitRow(`resident memory, ${blocks} blocks preserved`, "MiB", full / 1024 / 1024, {}));
      rows.push(limitRow("resident memory without a snapshot, buffers included", "MiB", idle / 1024 / 1024, {}));
    }),
  );
  return rows;
}

export const memory: Section = { name: "memory", what: "the engine's resident memory", run };
