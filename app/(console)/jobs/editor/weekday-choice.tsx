"use client";
import { ToggleGroup } from "radix-ui";
import { useFieldLabelId } from "@/app/components/field";
import { dayNames, type Weekday, weekdays } from "@/server/core/planning/weekdays";

type WeekdayChoiceProps = { value: readonly Weekday[]; onChange: (days: Weekday[]) => void };

/** Any of the seven days, all visible. */
export function WeekdayChoice({ value, onChange }: WeekdayChoiceProps) {
  return (
    <ToggleGroup.Root
      type="multiple"
      value={[...value]}
      onValueChange={(days) => onChange(weekdays.filter((day) => days.includes(day)))}
      aria-labelledby={useFieldLabelId()}
      className="flex flex-wrap gap-1.5"
    >
      {weekdays.map((day) => (
        <ToggleGroup.Item
          key={day}
          value={day}
          aria-label={dayNames[day]}
          className="h-8 w-12 rounded-lg border border-edge/60 bg-soft text-[0.8125rem] text-mute hover:border-edge hover:text-ink data-[state=on]:border-accent data-[state=on]:bg-accent data-[state=on]:font-medium data-[state=on]:text-on-accent"
        >
          {dayNames[day].slice(0, 3)}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
