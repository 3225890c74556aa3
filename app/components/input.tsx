"use client";
import type { ComponentProps } from "react";
import { cn } from "./class-names";
import { useFieldControl } from "./field";

const box =
  "min-w-0 rounded-lg border border-edge/60 bg-soft px-2.5 text-ink placeholder:text-faint hover:border-edge aria-invalid:border-loss disabled:opacity-55";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...useFieldControl()} className={cn(box, "h-9 w-full", className)} {...rest} />;
}

/** A number or size with its unit behind it. */
export function UnitInput({ unit, className, ...rest }: ComponentProps<"input"> & { unit: string }) {
  return (
    <span className="inline-flex items-center gap-2">
      <input {...useFieldControl()} className={cn(box, "h-9 w-24", className)} inputMode="decimal" {...rest} />
      <span className="text-mute">{unit}</span>
    </span>
  );
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea {...useFieldControl()} className={cn(box, "w-full py-2", className)} {...rest} />;
}
