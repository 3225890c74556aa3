"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Card, CardTitle } from "@/app/components/card";
import { formatRate } from "@/app/components/format";
import { Segmented } from "@/app/components/segmented";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { type HistoryRange, historyRangeSchema } from "@/server/core/contracts/history";
import { RatesChart } from "./rates-chart";
import { RatesTable } from "./rates-table";

const names: Record<HistoryRange, string> = {
  hour: "Hour",
  day: "Day",
  week: "Week",
  months: "60 d",
  years: "2 y",
};
const REFRESH_MS = { hour: 10_000, day: 60_000, week: 300_000, months: 600_000, years: 600_000 } as const;

/** How much was written over time. */
export function RatesCard({ hostId, volume }: { hostId: string; volume: string }) {
  const trpc = useTRPC();
  const [range, setRange] = useState<HistoryRange>("day");
  const rates = useQuery(
    trpc.history.rates.queryOptions(
      { hostId, volume, range },
      { refetchInterval: REFRESH_MS[range], placeholderData: keepPreviousData },
    ),
  );
  const known = (rates.data?.points ?? []).flatMap(({ bytesPerSecond }) => bytesPerSecond ?? []);
  const mean = known.reduce((sum, one) => sum + one, 0) / Math.max(1, known.length);
  return (
    <Card>
      <CardTitle
        aside={
          <Segmented
            label="How far back"
            value={range}
            onChange={setRange}
            options={historyRangeSchema.options.map((value) => ({ value, label: names[value] }))}
          />
        }
      >
        Change rate
      </CardTitle>
      <Unanswered query={rates} of="change rate" />
      {rates.data && known.length === 0 && (
        <p className="text-mute">Nothing was measured in this time. The first point comes within half a minute.</p>
      )}
      {rates.data && known.length > 0 && (
        <>
          <RatesChart rates={rates.data} fine={range === "hour"} />
          <p className="mt-2 text-[0.8125rem] text-mute">
            Mean {formatRate(mean)}, at most {formatRate(Math.max(...known))}. Where the line is broken nothing was
            measured.
          </p>
          <RatesTable rates={rates.data} />
        </>
      )}
    </Card>
  );
}
