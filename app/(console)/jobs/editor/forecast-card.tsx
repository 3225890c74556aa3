"use client";
import Link from "next/link";
import { useFormContext } from "react-hook-form";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Note } from "@/app/components/note";
import { formatBytes } from "@/server/core/text/bytes";
import { ForecastBars } from "./forecast-bars";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { useForecast } from "./use-forecast";

/** Cache that the job will need, both ways, against the room there is. Follows the form as it changes. */
export function ForecastCard() {
  const forecast = useForecast();
  const { setValue, watch } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const enabled = watch("openFile.enabled");
  const use = (oneAtATime: "on" | "off") => setValue("openFile.oneAtATime", oneAtATime, { shouldDirty: true });
  const { needAllAtOnceBytes, needOneAtATimeBytes } = forecast.forecast;
  return (
    <Card>
      <CardTitle>Forecast: cache this job will need</CardTitle>
      {!enabled && <p className="text-mute">None: the open-file option is off.</p>}
      {enabled && forecast.volumes === 0 && (
        <p className="text-mute">Choose volumes, and this shows the room that their caches will need.</p>
      )}
      {enabled && forecast.volumes > 0 && (
        <>
          <ForecastBars {...forecast} />
          {!forecast.roomKnown && (
            <Note tone="warn" title="How much room there is, is not known" className="mt-4">
              The host has not said yet where caches can be kept, or the chosen location is not one of them.
            </Note>
          )}
          <div className={forecast.roomKnown ? "mt-4 space-y-3" : "hidden"}>
            <Note
              tone={forecast.fitsAllAtOnce ? "good" : "loss"}
              title={forecast.fitsAllAtOnce ? "All at once fits" : "All at once may not fit"}
              action={
                forecast.mode === "oneAtATime" && forecast.volumes > 1 && forecast.fitsAllAtOnce ? (
                  <Button size="small" onClick={() => use("off")}>
                    Use it
                  </Button>
                ) : undefined
              }
            >
              needs up to {formatBytes(needAllAtOnceBytes)}; there is room for{" "}
              {formatBytes(forecast.roomAllAtOnceBytes)}.{forecast.volumes > 1 && " All volumes are of one instant."}
            </Note>
            {forecast.volumes > 1 && (
              <Note
                tone={forecast.fitsOneAtATime ? "good" : "loss"}
                title={forecast.fitsOneAtATime ? "One at a time fits" : "One at a time may not fit either"}
                action={
                  forecast.mode === "allAtOnce" && !forecast.fitsAllAtOnce && forecast.fitsOneAtATime ? (
                    <Button size="small" onClick={() => use("on")}>
                      Use it
                    </Button>
                  ) : undefined
                }
              >
                needs up to {formatBytes(needOneAtATimeBytes)}; there is room for{" "}
                {formatBytes(forecast.roomOneAtATimeBytes)}. The volumes are frozen at {forecast.volumes} instants.
              </Note>
            )}
            {forecast.turnedDown.map((one) => (
              <Note key={one.path} tone="warn" title={one.path}>
                cannot be used: {one.reason}.
              </Note>
            ))}
            {!forecast.fitsAllAtOnce && (
              <p className="text-[0.8125rem] text-mute">
                More room: allow another location in{" "}
                <Link href="/settings" className="text-accent underline">
                  Settings
                </Link>
                .
              </p>
            )}
          </div>
          <p className="mt-3 text-mute text-xs">
            A first estimate: 30 % of what is used on each volume, at least 50 MiB. Room is what the broker would allow:
            30 % of a location’s free space for each cache, unless you say otherwise.
          </p>
        </>
      )}
    </Card>
  );
}
