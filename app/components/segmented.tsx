"use client";
import { RadioGroup } from "radix-ui";
import { cn } from "./class-names";
import { useFieldLabelId } from "./field";

type SegmentedProps<T extends string> = {
  value: T;
  onChange: (value: T) => void;
  options: readonly { value: T; label: string }[];
  label?: string;
  className?: string;
};

/** One of a few choices, all visible. */
export function Segmented<T extends string>({ value, onChange, options, label, className }: SegmentedProps<T>) {
  const labelId = useFieldLabelId();
  return (
    <RadioGroup.Root
      value={value}
      onValueChange={(next) => onChange(next as T)}
      aria-label={label}
      aria-labelledby={label ? undefined : labelId}
      className={cn("inline-flex max-w-full flex-wrap rounded-lg border border-line bg-soft p-0.75", className)}
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          className="h-7 rounded-md px-3 text-[0.8125rem] text-mute hover:text-ink data-[state=checked]:bg-panel data-[state=checked]:font-medium data-[state=checked]:text-ink data-[state=checked]:shadow-[0_0_0_1px_var(--edge)]"
        >
          {option.label}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
