"use client";
import { Check } from "lucide-react";
import { Checkbox as Radix } from "radix-ui";
import { type ReactNode, useId } from "react";

type CheckboxProps = {
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  label: string;
  /** Its label is heard, not seen. */
  bare?: boolean;
  /** Shown instead of the label's text. */
  children?: ReactNode;
};

export function Checkbox({ checked, onChange, disabled, label, bare, children }: CheckboxProps) {
  const id = useId();
  return (
    <span className="flex min-w-0 items-start gap-2.5">
      <Radix.Root
        id={id}
        checked={checked}
        onCheckedChange={(next) => onChange(next === true)}
        disabled={disabled}
        aria-label={label}
        className="mt-0.5 grid size-4.5 shrink-0 place-items-center rounded-[5px] border border-edge bg-soft disabled:opacity-55 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      >
        <Radix.Indicator>
          <Check className="size-3.5 text-on-accent" strokeWidth={3} aria-hidden />
        </Radix.Indicator>
      </Radix.Root>
      {!bare && (
        <label htmlFor={id} className="min-w-0 grow">
          {children ?? label}
        </label>
      )}
    </span>
  );
}
