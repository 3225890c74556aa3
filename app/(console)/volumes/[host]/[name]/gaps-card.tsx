"use client";
import { Card, CardTitle } from "@/app/components/card";
import { formatTime } from "@/app/components/time";
import { useZone } from "@/app/components/zone";
import type { VolumeHistory } from "@/server/core/contracts/history";
import { formatDuration } from "@/server/core/text/duration";

/** The longest times without a write, with when they were. */
export function GapsCard({ gaps }: { gaps: VolumeHistory["gaps"] }) {
  const zone = useZone();
  const instant = (atMs: number) => new Date(atMs).toISOString();
  return (
    <Card>
      <CardTitle>Longest quiet gaps</CardTitle>
      {gaps.length === 0 ? (
        <p className="text-mute">
          No gap of a second without a write was measured so far. Shorter ones are seen while a job waits for quiet.
        </p>
      ) : (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Began</th>
              <th scope="col">Ended</th>
              <th scope="col" className="n">
                How long
              </th>
            </tr>
          </thead>
          <tbody>
            {gaps.map(({ fromMs, lengthMs, open }) => (
              <tr key={fromMs}>
                <td>
                  <time dateTime={instant(fromMs)} title={`host’s clock: ${instant(fromMs)}`}>
                    {formatTime(fromMs, "day", zone)}
                  </time>
                </td>
                <td>
                  {open ? (
                    <span className="text-accent">not yet</span>
                  ) : (
                    <time dateTime={instant(fromMs + lengthMs)} title={`host’s clock: ${instant(fromMs + lengthMs)}`}>
                      {formatTime(fromMs + lengthMs, "minute", zone)}
                    </time>
                  )}
                </td>
                <td className="n">{formatDuration(lengthMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
