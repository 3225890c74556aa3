"use client";
import { useState } from "react";
import { UnitInput } from "./input";

type SecondsInputProps = {
  /** Milliseconds. */
  value: number;
  /** NaN while the text is no number, so that a form refuses it. */
  onChange: (ms: number) => void;
  onBlur?: () => void;
};

/** A length of time in seconds; fractions are fine. */
export function SecondsInput({ value, onChange, onBlur }: SecondsInputProps) {
  const [text, setText] = useState(Number.isFinite(value) ? String(value / 1000) : "");
  return (
    <UnitInput
      unit="s"
      value={text}
      onBlur={onBlur}
      autoComplete="off"
      onChange={(event) => {
        setText(event.target.value);
        const written = event.target.value.trim().replace(",", ".");
        onChange(written === "" ? Number.NaN : Math.round(Number(written) * 1000));
      }}
    />
  );
}
