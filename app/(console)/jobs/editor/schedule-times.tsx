"use client";
import { useState } from "react";
import { Field } from "@/app/components/field";
import { Input, UnitInput } from "@/app/components/input";
import { Select } from "@/app/components/select";
import { hourSteps, type Schedule } from "@/server/core/contracts/schedule";
import { WeekdayChoice } from "./weekday-choice";

type Of<K extends Schedule["kind"]> = Schedule & { kind: K };
type TimesProps<S> = { schedule: S; onChange: (next: Schedule) => void };

/** The hours and days of a schedule, by its kind. */
export function ScheduleTimes({ schedule, onChange }: TimesProps<Schedule>) {
  switch (schedule.kind) {
    case "hourly":
      return <HourlyTimes schedule={schedule} onChange={onChange} />;
    case "daily":
      return <DailyTimes schedule={schedule} onChange={onChange} />;
    case "monthly":
      return <MonthlyTime schedule={schedule} onChange={onChange} />;
    case "cron":
      return (
        <Field row label="Cron expression" hint="Minute, hour, day of the month, month, weekday. L is the last day.">
          <Input
            className="max-w-64 font-mono"
            spellCheck={false}
            autoComplete="off"
            value={schedule.expression}
            onChange={(event) => onChange({ ...schedule, expression: event.target.value })}
          />
        </Field>
      );
  }
}

function HourlyTimes({ schedule, onChange }: TimesProps<Of<"hourly">>) {
  return (
    <>
      <Field row label="Every" hint="Counted from midnight, so that the hours are the same each day.">
        <Select
          value={String(schedule.everyHours)}
          onChange={(value) => {
            const everyHours = hourSteps.find((step) => String(step) === value);
            if (everyHours) onChange({ ...schedule, everyHours });
          }}
          options={hourSteps.map((step) => ({ value: String(step), label: step === 1 ? "hour" : `${step} hours` }))}
        />
      </Field>
      <Field row label="At minute">
        <UnitInput
          unit="past the hour"
          type="number"
          min={0}
          max={59}
          value={Number.isNaN(schedule.minute) ? "" : schedule.minute}
          onChange={(event) => onChange({ ...schedule, minute: event.target.valueAsNumber })}
        />
      </Field>
    </>
  );
}

function DailyTimes({ schedule, onChange }: TimesProps<Of<"daily">>) {
  const [text, setText] = useState(schedule.times.join(", "));
  return (
    <>
      <Field row group label="Days">
        <WeekdayChoice value={schedule.days} onChange={(days) => onChange({ ...schedule, days })} />
      </Field>
      <Field row label="Times" hint="From 00:00 to 23:59; several with commas between them.">
        <Input
          className="max-w-64 font-mono"
          autoComplete="off"
          placeholder="02:00, 14:00"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            onChange({ ...schedule, times: timesIn(event.target.value) });
          }}
        />
      </Field>
    </>
  );
}

/** `2:00` is `02:00`. */
function timesIn(text: string): string[] {
  return text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map((time) => (/^\d:\d\d$/.test(time) ? `0${time}` : time));
}

function MonthlyTime({ schedule, onChange }: TimesProps<Of<"monthly">>) {
  return (
    <>
      <Field row label="Day of the month">
        <Select
          value={String(schedule.day)}
          onChange={(day) => onChange({ ...schedule, day: day === "last" ? day : Number(day) })}
          options={[
            ...Array.from({ length: 28 }, (_, i) => ({ value: String(i + 1), label: String(i + 1) })),
            { value: "last", label: "the last" },
          ]}
        />
      </Field>
      <Field row label="Time">
        <Input
          type="time"
          className="max-w-36 font-mono"
          value={schedule.time}
          onChange={(event) => onChange({ ...schedule, time: event.target.value })}
        />
      </Field>
    </>
  );
}
