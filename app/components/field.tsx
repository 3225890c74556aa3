"use client";
import { createContext, type ReactNode, useContext, useId } from "react";
import { cn } from "./class-names";

type FieldIds = { id: string; describedBy: string | undefined; invalid: boolean };
const FieldContext = createContext<FieldIds | null>(null);

/** Ids and state for the control inside a `Field`; spread over the element that takes the focus. */
export function useFieldControl() {
  const field = useContext(FieldContext);
  if (!field) return {};
  return { id: field.id, "aria-describedby": field.describedBy, "aria-invalid": field.invalid || undefined };
}
/** The id of the field's label, for groups that are named with `aria-labelledby`. */
export function useFieldLabelId(): string | undefined {
  const field = useContext(FieldContext);
  return field ? `${field.id}-label` : undefined;
}

type FieldProps = {
  label: string;
  /** One line: what this setting changes. */
  hint?: ReactNode;
  error?: string | null;
  /** Label beside the control on wide screens. */
  row?: boolean;
  /** Stands under the label, quieter than it. */
  note?: ReactNode;
  /** Only for assistive technology: what stands around it tells the rest. */
  labelHidden?: boolean;
  /** The control is a group of several elements: the label names it but does not focus one. */
  group?: boolean;
  className?: string;
  children: ReactNode;
};

export function Field({ label, hint, error, row, note, labelHidden, group, className, children }: FieldProps) {
  const id = useId();
  const describedBy = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ") || undefined;
  const Label = group ? "span" : "label";
  return (
    <FieldContext.Provider value={{ id, describedBy, invalid: Boolean(error) }}>
      <div
        className={cn(
          "min-w-0",
          row && "grid gap-x-4 gap-y-1.5 border-line border-t py-3 first-of-type:border-0 sm:grid-cols-[11.5rem_1fr]",
          className,
        )}
      >
        <div className={labelHidden ? "sr-only" : row ? "sm:pt-1.5" : "mb-1.5"}>
          <Label id={`${id}-label`} htmlFor={group ? undefined : id} className="block font-medium">
            {label}
          </Label>
          {note && <p className="mt-0.5 text-mute text-xs">{note}</p>}
        </div>
        <div className="min-w-0">
          {children}
          {error && (
            <p id={`${id}-error`} role="alert" className="mt-1.5 text-[0.8125rem] text-loss-ink">
              {error}
            </p>
          )}
          {hint && (
            <p id={`${id}-hint`} className="mt-1.5 text-[0.8125rem] text-mute">
              {hint}
            </p>
          )}
        </div>
      </div>
    </FieldContext.Provider>
  );
}
