"use client";
import { useState } from "react";
import { Card, CardTitle } from "@/app/components/card";
import { Meter } from "@/app/components/meter";
import { Segmented } from "@/app/components/segmented";
import { useZone } from "@/app/components/zone";
import type { VolumeHistory } from "@/server/core/contracts/history";
import { hourName } from "@/server/core/history/hour-of-week";
import { quietHours } from "@/server/core/history/quiet-hours";
import { formatDuration } from "@/server/core/text/duration";
import type { Measure } from "./week-hours";
import { WeekLegend } from "./week-legend";
import { WeekMap } from "./week-map";

const DAY = 24 * 3_600_000;
const BEST = 3;

/** The volume's week, once a day of it is known. */
export function WeekCard({ history }: { history: VolumeHistory }) {
  const zone = useZone();
  const [measure, setMeasure] = useState<Measure>("writes");
  const missing = DAY - history.measuredMs;
  const best = quietHours([history.week], BEST);
  return (
    <Card>
      <CardTitle
        aside={
          missing <= 0 && (
            <Segmented
              label="What the map shows"
              value={measure}
              onChange={setMeasure}
              options={[
                { value: "writes", label: "Writes" },
                { value: "rests", label: "Rests" },
              ]}
            />
          )
        }
      >
        Its week
      </CardTitle>
      {missing > 0 ? (
        <div>
          <p className="text-mute">
            {history.measuredMs > 0 && <>Measured for {formatDuration(history.measuredMs)} so far. </>}
            In <b className="font-medium text-ink">{formatDuration(missing)}</b> of being attached this shows at which
            hours of the week the volume is written to, and when it rests: the hours for its backups.
          </p>
          <Meter
            value={history.measuredMs}
            max={DAY}
            label="Measured of the day that is needed"
            className="mt-3 max-w-md"
          />
        </div>
      ) : (
        <>
          <WeekMap history={history} measure={measure} zone={zone} />
          <div className="mt-3 flex flex-wrap items-start justify-between gap-x-8 gap-y-3">
            <WeekLegend measure={measure} />
            {best.length > 0 && (
              <div className="text-[0.8125rem]">
                <p className="text-mute text-xs">Rests longest</p>
                <ol>
                  {best.map((one) => (
                    <li key={one.hour}>
                      {hourName(one.hour)} <span className="text-mute">for {formatDuration(one.quietMs)}</span>
                    </li>
                  ))}
                </ol>
              </div>
            )}
          </div>
        </>
      )}
    </Card>
  );
}
