"use client";
import type { ReactNode } from "react";
import { Field } from "@/app/components/field";
import { Segmented } from "@/app/components/segmented";

type InheritableProps<T> = {
  /** What the field is called, and what stands under it. */
  label: string;
  hint?: ReactNode;
  error?: string | null | undefined;
  value: T | "inherit";
  onChange: (value: T | "inherit") => void;
  /** What the settings have; undefined while they are asked for. */
  inherited: T | undefined;
  /** What an own value begins with until then. */
  fallback: T;
  words: (value: T) => string;
  /** The control of an own value. */
  children: (value: T, onChange: (value: T) => void) => ReactNode;
};

/** A field that a job inherits from the settings, with the value that then applies, or has a value of its own of. */
export function Inheritable<T>(props: InheritableProps<T>) {
  const { label, hint, error, value, onChange, inherited, fallback, words, children } = props;
  const own = value !== "inherit";
  return (
    <Field row group label={label} hint={hint} error={own ? null : (error ?? null)}>
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <Segmented
          value={own ? "own" : "inherit"}
          onChange={(next) => onChange(next === "own" ? (inherited ?? fallback) : "inherit")}
          options={[
            { value: "inherit", label: inherits(inherited, words) },
            { value: "own", label: "Own" },
          ]}
        />
        {own && (
          <Field label={`${label}, own value`} labelHidden error={error ?? null} className="grow">
            {children(value as T, onChange)}
          </Field>
        )}
      </div>
    </Field>
  );
}

type InheritableChoiceProps<T extends string> = Pick<InheritableProps<T>, "label" | "hint" | "inherited"> & {
  value: T | "inherit";
  onChange: (value: T | "inherit") => void;
  words: Record<T, string>;
};

/** The same for one of a few choices: they stand beside what is inherited. */
export function InheritableChoice<T extends string>(props: InheritableChoiceProps<T>) {
  const { label, hint, value, onChange, inherited, words } = props;
  return (
    <Field row group label={label} hint={hint}>
      <Segmented<T | "inherit">
        value={value}
        onChange={onChange}
        options={[
          { value: "inherit", label: inherits(inherited, (one) => words[one]) },
          ...(Object.keys(words) as T[]).map((one) => ({ value: one, label: words[one] })),
        ]}
      />
    </Field>
  );
}

function inherits<T>(inherited: T | undefined, words: (value: T) => string): string {
  return inherited === undefined ? "Inherit" : `Inherit (${words(inherited)})`;
}
