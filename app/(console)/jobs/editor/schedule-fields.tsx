"use client";
import { useState } from "react";
import { useFormContext } from "react-hook-form";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Segmented } from "@/app/components/segmented";
import { Select } from "@/app/components/select";
import { useZone } from "@/app/components/zone";
import type { Schedule } from "@/server/core/contracts/schedule";
import type { HostView } from "@/server/core/contracts/views";
import { weekdays } from "@/server/core/planning/weekdays";
import { formatDuration } from "@/server/core/text/duration";
import { QuietHoursList } from "../../quiet-hours/quiet-hours-list";
import { firstMessage } from "./first-message";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { SchedulePreview } from "./schedule-preview";
import { ScheduleTimes } from "./schedule-times";
import { ZoneField } from "./zone-field";

type Kind = Schedule["kind"] | "none";

const kinds = [
  { value: "none", label: "By hand" },
  { value: "hourly", label: "Every few hours" },
  { value: "daily", label: "Chosen days" },
  { value: "monthly", label: "Monthly" },
  { value: "cron", label: "Cron" },
] as const satisfies readonly { value: Kind; label: string }[];

const MINUTE_MS = 60_000;
const graces = [15, 60, 240, 720, 1440];

/** When the job starts by itself. */
export function ScheduleFields({ hosts }: { hosts: readonly HostView[] }) {
  const { watch, setValue, formState } = useFormContext<JobDraftIn, unknown, JobDraft>();
  // What is in the form began as a job's own schedule or by `begun`: its defaults are filled in.
  const schedule = (watch("schedule") ?? null) as Schedule | null;
  const [hostId, volumes] = watch(["hostId", "selection.volumes"]);
  const zone = useZone();
  /** Suggestions taken: the fields below begin anew with each. */
  const [used, setUsed] = useState(0);
  const host = hosts.find(({ id }) => id === hostId);
  const change = (next: Schedule | null) =>
    setValue("schedule", next, { shouldDirty: true, shouldValidate: formState.isSubmitted });
  return (
    <Card>
      <CardTitle>When it runs</CardTitle>
      <Field
        row
        group
        label="Schedule"
        hint={schedule === null ? "It runs when somebody starts it, here or from the command line." : undefined}
      >
        <Segmented
          value={schedule?.kind ?? "none"}
          onChange={(kind: Kind) => change(begun(kind, schedule))}
          options={kinds}
        />
      </Field>
      {volumes.length > 0 && (
        <Field row group label="Quiet hours" hint="Suggested by what was measured of these volumes.">
          <QuietHoursList
            hostId={hostId}
            volumes={volumes}
            action={({ day, hour }) => (
              <Button
                size="small"
                onClick={() => {
                  change(startAt(day, hour, zone === host?.timeZone ? null : zone, schedule));
                  setUsed(used + 1);
                }}
              >
                Use it
              </Button>
            )}
          />
        </Field>
      )}
      {schedule !== null && (
        <>
          <ScheduleTimes key={used} schedule={schedule} onChange={change} />
          <ZoneField
            value={schedule.zone}
            hostZone={host?.timeZone ?? null}
            onChange={(zone) => change({ ...schedule, zone })}
          />
          <Field
            row
            label="May start late by"
            hint="When the host is away or a volume is in another run, it waits this long and starts when it can. After that the run counts as failed."
          >
            <Select
              value={String(schedule.graceMinutes)}
              onChange={(minutes) => change({ ...schedule, graceMinutes: Number(minutes) })}
              options={[...new Set([...graces, schedule.graceMinutes])]
                .sort((a, b) => a - b)
                .map((minutes) => ({ value: String(minutes), label: graceWords(minutes) }))}
            />
          </Field>
          <Field row group label="Next runs" error={firstMessage(formState.errors.schedule)}>
            <SchedulePreview schedule={schedule} hostZone={host?.timeZone ?? null} />
          </Field>
        </>
      )}
    </Card>
  );
}

function begun(kind: Kind, before: Schedule | null): Schedule | null {
  if (kind === before?.kind) return before;
  const always = { zone: before?.zone ?? null, graceMinutes: before?.graceMinutes ?? 60 };
  switch (kind) {
    case "none":
      return null;
    case "hourly":
      return { kind, everyHours: 6, minute: 0, ...always };
    case "daily":
      return { kind, times: ["02:00"], days: [...weekdays], ...always };
    case "monthly":
      return { kind, day: 1, time: "02:00", ...always };
    case "cron":
      return { kind, expression: "0 2 * * *", ...always };
  }
}

/** Once a week, or (`day` is null) every day. */
function startAt(day: number | null, hour: number, zone: string | null, before: Schedule | null): Schedule {
  const days = day === null ? [...weekdays] : weekdays.filter((_, i) => i === day);
  const times = [`${String(hour).padStart(2, "0")}:00`];
  return { kind: "daily", times, days, zone, graceMinutes: before?.graceMinutes ?? 60 };
}

const graceWords = (minutes: number): string =>
  minutes % 60 === 0 ? `${minutes / 60} h` : formatDuration(minutes * MINUTE_MS).replace(/ 0 s$/, "");
