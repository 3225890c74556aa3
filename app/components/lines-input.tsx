"use client";
import { useState } from "react";
import { TextArea } from "./input";

type LinesInputProps = {
  value: readonly string[];
  onChange: (lines: string[]) => void;
  onBlur?: () => void;
  placeholder?: string;
};

/** A list as text, one entry a line. Empty lines count for nothing. */
export function LinesInput({ value, onChange, ...rest }: LinesInputProps) {
  const [text, setText] = useState(value.join("\n"));
  return (
    <TextArea
      {...rest}
      value={text}
      rows={Math.min(8, Math.max(2, text.split("\n").length))}
      spellCheck={false}
      className="font-mono text-[0.8125rem]"
      onChange={(event) => {
        setText(event.target.value);
        onChange(
          event.target.value
            .split("\n")
            .map((line) => line.trim())
            .filter(Boolean),
        );
      }}
    />
  );
}
