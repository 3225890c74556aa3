"use client";
import { useEffect, useRef, useState } from "react";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";
import { formatTime } from "../time";
import { type LanesData, largestCache } from "./lanes-data";
import { readAt } from "./reading";
import type { Span } from "./view";

const TIMES = 12;

type LanesTableProps = { data: LanesData; zone: string; span: Span };

/** The picture as tables: the same facts, without sight of it. They are drawn while they are open. */
export function LanesTable(props: LanesTableProps) {
  const [open, setOpen] = useState(false);
  const details = useRef<HTMLDetailsElement>(null);
  // It may have been opened before the page was alive.
  useEffect(() => setOpen(details.current?.open ?? false), []);
  return (
    <details ref={details} className="mt-1 text-[0.8125rem]" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="rounded text-accent">The same as a table</summary>
      {open && (
        <div className="mt-2 space-y-4">
          <Facts {...props} />
          <Times {...props} />
        </div>
      )}
    </details>
  );
}

function Facts({ data, zone }: LanesTableProps) {
  const exact = (at: number | null | undefined) => (at ? formatTime(at, "exact", zone) : "–");
  return (
    <section
      aria-label="What happened to each volume"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="overflow-x-auto"
    >
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
    </section>
  );
}

/** What the cursor would say at times evenly spread over what is seen: zoomed in, they lie closer. */
function Times({ data, zone, span }: LanesTableProps) {
  const end = Math.min(span.to, data.now ?? span.to);
  const times = Array.from({ length: TIMES }, (_, i) => span.from + ((end - span.from) * (i + 1)) / TIMES);
  return (
    <section
      aria-label="Writes and caches in the time that is shown"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="max-h-96 overflow-auto"
    >
      <table className="rows">
        <caption className="sr-only">Writes and cache of each volume, in the time that is shown</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Volume</th>
            <th scope="col">Writes</th>
            <th scope="col">Cache</th>
          </tr>
        </thead>
        <tbody>
          {times.flatMap((at) => {
            const reading = readAt(data, at, zone);
            return reading.lanes.map((lane) => (
              <tr key={`${at} ${lane.name}`}>
                <td className="font-mono">{reading.time}</td>
                <td>{lane.name}</td>
                <td>{lane.writes}</td>
                <td>{lane.cache}</td>
              </tr>
            ));
          })}
        </tbody>
      </table>
    </section>
  );
}
