import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";
import { formatTime } from "../time";
import { type LanesData, largestCache } from "./lanes-data";

/** The picture as a table: the same facts, without sight of it. */
export function LanesTable({ data, zone }: { data: LanesData; zone: string }) {
  const exact = (at: number | null | undefined) => (at ? formatTime(at, "exact", zone) : "–");
  return (
    <details className="mt-1 text-[0.8125rem]">
      <summary className="inline-block rounded text-mute hover:text-ink">The same as a table</summary>
      <div className="mt-2 overflow-x-auto">
        <table className="rows">
          <caption className="sr-only">Writes, quiet windows, instants and caches of each volume</caption>
          <thead>
            <tr>
              <th scope="col">Volume</th>
              <th scope="col">Quiet window</th>
              <th scope="col">Frozen at</th>
              <th scope="col">Snapshot ended</th>
              <th scope="col" className="n">
                Written
              </th>
              <th scope="col" className="n">
                Largest cache
              </th>
              <th scope="col" className="n">
                Limit
              </th>
            </tr>
          </thead>
          <tbody>
            {data.lanes.map((lane) => {
              const written = (lane.points.at(-1)?.writeBytes ?? 0) - (lane.points[0]?.writeBytes ?? 0);
              return (
                <tr key={lane.name}>
                  <td>{lane.name}</td>
                  <td>
                    {lane.quiet
                      ? `${formatDuration(lane.quiet.to - lane.quiet.from)} from ${exact(lane.quiet.from)}`
                      : "none"}
                  </td>
                  <td>{exact(lane.frozenAt)}</td>
                  <td>{lane.released ? `${exact(lane.released.at)}, ${lane.released.word}` : "–"}</td>
                  <td className="n">{formatBytes(Math.max(0, written))}</td>
                  <td className="n">{formatBytes(largestCache(lane))}</td>
                  <td className="n">{lane.cacheMax ? formatBytes(lane.cacheMax) : "–"}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
