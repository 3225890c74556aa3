/** An engine's report as the sample that crosses the link. */
import type { Sample } from "@/server/core/contracts/volume";
import type { Report } from "../engine/protocol.gen";

export function sampleOf(volume: string, report: Report): Sample {
  const open = report.snapshots;
  const sum = (of: (s: Report["snapshots"][number]) => number) => open.reduce((total, s) => total + of(s), 0);
  return {
    volume,
    at: report.at,
    writes: report.writes,
    writeBytes: report.writeBytes,
    reads: report.reads,
    readBytes: report.readBytes,
    lastWriteAt: report.lastWriteAt,
    quietMs: report.quietMs,
    cacheUsedBytes: report.cache.usedBytes,
    cacheReservedBytes: report.cache.reservedBytes,
    cacheMaxBytes: open.length === 0 ? 0 : report.cache.maxBytes,
    preservedBlocks: sum((s) => s.preservedBlocks),
    skippedFreeBlocks: sum((s) => s.skippedFreeBlocks),
    openSnapshots: open.length,
  };
}
