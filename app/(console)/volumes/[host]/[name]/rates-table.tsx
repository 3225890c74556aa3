"use client";
import { formatRate } from "@/app/components/format";
import { formatTime } from "@/app/components/time";
import { useZone } from "@/app/components/zone";
import type { RateHistory } from "@/server/core/contracts/history";

/** The chart's points as text, the newest first. */
export function RatesTable({ rates }: { rates: RateHistory }) {
  const zone = useZone();
  const measured = rates.points.filter((point) => point.bytesPerSecond !== null).reverse();
  return (
    <details className="mt-2">
      <summary className="text-[0.8125rem] text-accent">As a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="mt-2 max-h-64 overflow-y-auto" tabIndex={0} aria-label="Change rate as a table">
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col" className="n">
                Written
              </th>
            </tr>
          </thead>
          <tbody>
            {measured.map(({ atMs, bytesPerSecond }) => (
              <tr key={atMs}>
                <td>{formatTime(atMs, rates.pointMs < 60_000 ? "clock" : "day", zone)}</td>
                <td className="n">{formatRate(bytesPerSecond ?? 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
