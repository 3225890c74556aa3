"use client";
import { ChevronDown } from "lucide-react";
import { cn } from "./class-names";
import { useFieldControl } from "./field";

export type Option<T extends string> = { value: T; label: string; detail?: string };

type SelectProps<T extends string> = {
  value: T;
  onChange: (value: T) => void;
  options: readonly Option<T>[];
  /** Name for assistive technology where no visible label belongs to it. */
  label?: string;
  className?: string;
  disabled?: boolean;
};

/** The browser's own list: every keyboard, finger and screen reader knows it. */
export function Select<T extends string>({ value, onChange, options, label, className, disabled }: SelectProps<T>) {
  return (
    <span className={cn("relative inline-block max-w-full", className)}>
      <select
        {...useFieldControl()}
        aria-label={label}
        value={value}
        disabled={disabled}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.target.value);
          if (chosen) onChange(chosen.value);
        }}
        className="h-9 w-full appearance-none truncate rounded-lg border border-edge/60 bg-soft pr-9 pl-2.5 hover:border-edge disabled:opacity-55"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.detail ? `${option.label} (${option.detail})` : option.label}
          </option>
        ))}
      </select>
      <ChevronDown className="pointer-events-none absolute top-2.5 right-2.5 size-4 text-mute" aria-hidden />
    </span>
  );
}
