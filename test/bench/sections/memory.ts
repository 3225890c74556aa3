/** Resident memory of the engine: what it has anyway, and what each preserved block adds. */
import { mustRun } from "@/server/worker/programs/run-program";
import type { Bench, Section } from "../bench";
import { limitRow, type Row } from "../figures";
import { residentBytes } from "../resident-memory";
import { prepare, withEngine } from "../subjects";

/** Overwrites the device's blocks from `first` on. */
async function overwrite(device: string, firstMib: number, mib: number): Promise<void> {
  const where = ["bs=1M", `seek=${firstMib}`, `count=${mib}`, "oflag=direct", "conv=notrunc", "status=none"];
  await mustRun("dd", ["if=/dev/zero", `of=${device}`, ...where]);
}

async function run(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  await bench.withPlace((place) =>
    withEngine(place, async (attached) => {
      const { result, client, pid } = attached;
      const mib = place.bytes / 1024 / 1024;
      await overwrite(result.device, 0, mib); // every buffer has been used once
      const idle = await residentBytes(pid);
      await prepare(attached, place, "s1");
      await client.request("activate", { snapshot: "s1" });
      await overwrite(result.device, 0, mib / 4);
      const quarter = await residentBytes(pid);
      await overwrite(result.device, mib / 4, (mib * 3) / 4);
      const full = await residentBytes(pid);
      const report = await client.request("describe", {});
      const blocks = report.snapshots[0]?.preservedBlocks ?? Number.NaN;
      if (blocks !== place.bytes / 4096) throw new Error(`${blocks} blocks are preserved, not all`);
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
