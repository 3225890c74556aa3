import { formatCount } from "@/app/components/format";
import type { EvidenceOf } from "@/server/core/errors/evidence";
import { formatDuration } from "@/server/core/text/duration";
import { Facts } from "./facts";

/** The gaps that were seen against the one that was wanted, and who wrote. */
export function QuietEvidence({ evidence }: { evidence: EvidenceOf<"OFO-QUIET"> }) {
  // Lengths that nothing came near say nothing: the table ends with the one that was wanted.
  const { gapHistogram, minimumMs } = evidence;
  const length = gapHistogram.findLastIndex((bucket) => bucket.count > 0) + 1;
  const wanted = gapHistogram.findIndex((bucket) => bucket.upToMs === null || bucket.upToMs >= minimumMs) + 1;
  const buckets = gapHistogram.slice(0, Math.max(length, wanted));
  const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
  return (
    <>
      <Facts
        facts={[
          ["Wanted", `${formatDuration(evidence.minimumMs)} without a write`],
          ["Longest gap seen", evidence.longestGapMs === null ? "none" : formatDuration(evidence.longestGapMs)],
          ["Waited", formatDuration(evidence.timeoutMs)],
          ["Writes a second", evidence.writesPerSecond === null ? "not known" : evidence.writesPerSecond.toFixed(1)],
        ]}
      />
      {length > 0 && (
        <table className="mt-3 w-full text-xs">
          <caption className="mb-1 text-left text-mute">Gaps between writes, by length</caption>
          <tbody>
            {buckets.map((bucket) => (
              <tr key={String(bucket.upToMs)}>
                <th scope="row" className="w-24 py-0.5 pr-3 text-right font-mono font-normal text-mute">
                  {bucket.upToMs === null ? "longer" : `≤ ${formatDuration(bucket.upToMs)}`}
                </th>
                <td>
                  <span className="flex items-center gap-2">
                    <span
                      aria-hidden
                      className={
                        bucket.upToMs === null || bucket.upToMs >= minimumMs
                          ? "h-2.5 rounded-xs bg-cache"
                          : "h-2.5 rounded-xs bg-write"
                      }
                      style={{ width: `${(bucket.count / most) * 75}%`, minWidth: bucket.count > 0 ? 2 : 0 }}
                    />
                    <span className="font-mono text-mute">{formatCount(bucket.count)}</span>
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {evidence.writers.length > 0 && (
        <table className="rows cards mt-3">
          <caption className="text-left text-mute text-xs">Who wrote</caption>
          <thead>
            <tr>
              <th scope="col">Program</th>
              <th scope="col" className="n">
                Process
              </th>
              <th scope="col" className="n">
                Changes seen
              </th>
              <th scope="col">Files</th>
            </tr>
          </thead>
          <tbody>
            {evidence.writers.map((writer) => (
              <tr key={writer.pid}>
                <td className="lead wrap-anywhere">{writer.command}</td>
                <td className="n" data-label="Process">
                  {writer.pid}
                </td>
                <td className="n" data-label="Changes seen">
                  {writer.writes === null ? "has it open" : formatCount(writer.writes)}
                </td>
                <td data-label="Files" className="font-mono text-xs">
                  <span className="wrap-anywhere">{someOf(writer.paths)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

const PATHS_SHOWN = 4;

function someOf(paths: readonly string[]): string {
  const more = paths.length - PATHS_SHOWN;
  return paths.slice(0, PATHS_SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
