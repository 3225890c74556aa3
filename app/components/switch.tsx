"use client";
import { Switch as Radix } from "radix-ui";
import { useFieldControl } from "./field";

type SwitchProps = {
  checked: boolean;
  onChange: (checked: boolean) => void;
  /** Name for assistive technology where no visible label belongs to it. */
  label?: string;
  disabled?: boolean;
};

export function Switch({ checked, onChange, label, disabled }: SwitchProps) {
  return (
    <Radix.Root
      {...useFieldControl()}
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      aria-label={label}
      className="relative h-5.5 w-10 shrink-0 rounded-full border border-edge bg-soft transition-colors disabled:opacity-55 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
    >
      <Radix.Thumb className="block size-4 translate-x-0.75 rounded-full bg-edge transition-transform data-[state=checked]:translate-x-[1.18rem] data-[state=checked]:bg-on-accent" />
    </Radix.Root>
  );
}
