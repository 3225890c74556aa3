"use client";
import Link from "next/link";
import { useFormContext } from "react-hook-form";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Note } from "@/app/components/note";
import type { Fit } from "@/server/core/planning/cache-fit";
import { formatBytes } from "@/server/core/text/bytes";
import { ForecastBars } from "./forecast-bars";
import { ForecastBasis } from "./forecast-basis";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { useDraftOpenFile } from "./use-draft-open-file";
import { useForecast } from "./use-forecast";

/** Cache that the job will need, both ways, against the room there is. Follows the form as it changes. */
export function ForecastCard({ jobId }: { jobId: string | null }) {
  const forecast = useForecast(jobId);
  const { setValue } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const { enabled, cache, noSnapshot } = useDraftOpenFile().effective;
  const { mode, volumes, roomKnown, fit } = forecast;
  const { needAllAtOnceBytes, needOneAtATimeBytes } = forecast.forecast;
  const several = volumes.length > 1;
  const use = (oneAtATime: "on" | "off", offered: boolean) =>
    offered && (
      <Button size="small" onClick={() => setValue("openFile.oneAtATime", oneAtATime, { shouldDirty: true })}>
        Use it
      </Button>
    );
  const chosen = mode === "oneAtATime" ? fit.oneAtATime : fit.allAtOnce;
  return (
    <Card>
      <CardTitle>Forecast: cache this job will need</CardTitle>
      {!enabled && <p className="text-mute">None: the open-file option is off.</p>}
      {enabled && volumes.length === 0 && (
        <p className="text-mute">Choose volumes, and this shows the room that their caches will need.</p>
      )}
      {enabled && volumes.length > 0 && (
        <>
          <ForecastBars {...forecast} />
          {roomKnown === false && (
            <Note tone="warn" title="How much room there is, is not known" className="mt-4">
              The host has not said yet where caches can be kept, or the chosen location is not one of them.
            </Note>
          )}
          {roomKnown && (
            <div className="mt-4 space-y-3">
              <FitNote
                name="All at once"
                fit={fit.allAtOnce}
                needBytes={needAllAtOnceBytes}
                action={use("off", mode === "oneAtATime" && several && fit.allAtOnce.fits)}
              >
                {several && "All volumes are of one instant."}
              </FitNote>
              {several && (
                <FitNote
                  name="One at a time"
                  fit={fit.oneAtATime}
                  needBytes={needOneAtATimeBytes}
                  action={use("on", mode === "allAtOnce" && !fit.allAtOnce.fits && fit.oneAtATime.fits)}
                >
                  The volumes are frozen at {volumes.length} instants.
                </FitNote>
              )}
              {fit.turnedDown.map((one) => (
                <Note key={one.path} tone="warn" title={one.path}>
                  cannot be used: {one.reason}.
                </Note>
              ))}
              {!chosen.fits && (
                <p className="text-[0.8125rem] text-mute">
                  {cache.whenFull === "hold"
                    ? `When a cache is full, writers wait for at most ${(cache.holdMs || 0) / 1000} s; then its snapshot is released`
                    : "When a cache is full, its snapshot is released"}
                  , and the run fails with 0xa000851c.{" "}
                  {noSnapshot === "readLive" &&
                    "Reading live is only for volumes that had no snapshot from the start. "}
                  More room: allow another location in{" "}
                  <Link href="/settings#cache-locations" className="text-accent underline">
                    Settings
                  </Link>
                  .
                </p>
              )}
            </div>
          )}
          <ForecastBasis {...forecast} />
        </>
      )}
    </Card>
  );
}

type FitNoteProps = {
  name: string;
  fit: Fit;
  needBytes: number;
  action: React.ReactNode;
  children: React.ReactNode;
};

function FitNote({ name, fit, needBytes, action, children }: FitNoteProps) {
  return (
    <Note
      tone={fit.fits ? "good" : "loss"}
      title={fit.fits ? `${name} fits` : `${name} may not fit`}
      action={action || undefined}
    >
      needs up to {formatBytes(needBytes)}; there is room for {formatBytes(fit.roomBytes)}. {children}
      {fit.reasons.length > 0 && (
        <ul className="mt-1 list-disc space-y-0.5 pl-4">
          {fit.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </Note>
  );
}
