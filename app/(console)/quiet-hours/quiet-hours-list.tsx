"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { formatRate } from "@/app/components/format";
import { Unanswered } from "@/app/components/unanswered";
import { useZone } from "@/app/components/zone";
import { useTRPC } from "@/app/trpc/client";
import type { QuietHours } from "@/server/core/contracts/history";
import { hourName, weekdayOf } from "@/server/core/history/hour-of-week";
import { formatDuration } from "@/server/core/text/duration";

type QuietHoursListProps = {
  hostId: string;
  volumes: string[];
  /** What stands beside an hour; `day` is null for the hour of every day. */
  action?: (start: { day: number | null; hour: number }) => ReactNode;
};

const SHOWN = 3;

/** When these volumes rest longest together, in the viewer's zone, with what that is known from. */
export function QuietHoursList({ hostId, volumes, action }: QuietHoursListProps) {
  const trpc = useTRPC();
  const zone = useZone();
  const asked = useQuery(
    trpc.history.quietHours.queryOptions(
      { hostId, volumes, zone },
      { enabled: hostId !== "" && volumes.length > 0, placeholderData: keepPreviousData },
    ),
  );
  const { data } = asked;
  if (!data) return <Unanswered query={asked} of="quiet hours" />;
  if (data.hours.length === 0) {
    return (
      <p className="text-[0.8125rem] text-mute">
        Not known yet: {data.measuredMs === 0 ? "not all of these volumes were measured" : "they never rested"}
        {data.measuredMs > 0 && ` in ${formatDuration(data.measuredMs)}`}. Writes are measured while a volume is
        attached.
      </p>
    );
  }
  const { everyDay } = data;
  return (
    <ul className="space-y-1.5 text-[0.8125rem]">
      {everyDay && (
        <Row name={`Every day, ${hourName(everyDay.hour).replace(/^Monday, /, "")}`} hour={everyDay}>
          {action?.({ day: null, hour: everyDay.hour })}
        </Row>
      )}
      {data.hours.slice(0, SHOWN).map((one) => (
        <Row key={one.hour} name={hourName(one.hour)} hour={one}>
          {action?.({ day: weekdayOf(one.hour), hour: one.hour % 24 })}
        </Row>
      ))}
    </ul>
  );
}

type RowProps = { name: string; hour: QuietHours["hours"][number]; children: ReactNode };

function Row({ name, hour, children }: RowProps) {
  const from = hour.weeks === 1 ? "one week" : `${hour.weeks} weeks`;
  return (
    <li className="flex items-center justify-between gap-x-4">
      <span className="min-w-0">
        {name}{" "}
        <span className="text-mute">
          rests {formatDuration(hour.quietMs)} at a time, {formatRate(hour.bytesPerSecond)} written; from {from}
        </span>
      </span>
      {children}
    </li>
  );
}
