"use client";
import { Check, ChevronDown } from "lucide-react";
import { Select as Radix } from "radix-ui";
import { cn } from "./class-names";
import { useFieldControl } from "./field";

export type Option<T extends string> = { value: T; label: string; detail?: string };

type SelectProps<T extends string> = {
  value: T;
  onChange: (value: T) => void;
  options: readonly Option<T>[];
  label?: string;
  className?: string;
  disabled?: boolean;
};

export function Select<T extends string>({ value, onChange, options, label, className, disabled }: SelectProps<T>) {
  return (
    <Radix.Root value={value} onValueChange={(next) => onChange(next as T)} disabled={disabled}>
      <Radix.Trigger
        {...useFieldControl()}
        aria-label={label}
        className={cn(
          "inline-flex h-9 max-w-full items-center justify-between gap-2.5 rounded-lg border border-edge/60 bg-soft px-2.5 text-left hover:border-edge disabled:opacity-55 [&>span]:truncate",
          className,
        )}
      >
        <Radix.Value />
        <Radix.Icon>
          <ChevronDown className="size-4 text-mute" aria-hidden />
        </Radix.Icon>
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className="z-50 max-h-80 min-w-(--radix-select-trigger-width) max-w-[min(28rem,92vw)] animate-appear overflow-hidden rounded-lg border border-line bg-panel shadow-pop"
        >
          <Radix.Viewport className="p-1">
            {options.map((option) => (
              <Radix.Item
                key={option.value}
                value={option.value}
                className="flex items-start gap-2 rounded-md px-2 py-1.5 outline-none data-highlighted:bg-soft"
              >
                <span className="mt-0.5 w-4 shrink-0">
                  <Radix.ItemIndicator>
                    <Check className="size-4 text-accent" aria-hidden />
                  </Radix.ItemIndicator>
                </span>
                <span>
                  <Radix.ItemText>{option.label}</Radix.ItemText>
                  {option.detail && <span className="block text-[0.8125rem] text-mute">{option.detail}</span>}
                </span>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
