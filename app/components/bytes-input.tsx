"use client";
import { useState } from "react";
import { formatBytes, parseSize } from "@/server/core/text/bytes";
import { Input } from "./input";

type BytesInputProps = {
  value: number | null;
  /** NaN while the text is no size, so that a form refuses it. */
  onChange: (value: number | null) => void;
  /** What stands there when nothing is chosen: the value that then applies. */
  placeholder?: string;
  className?: string;
  name?: string;
};

/** A size as a person writes it: `512M`, `1.5 GiB`. Text that is no size is kept, and the reason shown. */
export function BytesInput({ value, onChange, ...rest }: BytesInputProps) {
  const [text, setText] = useState(value === null || Number.isNaN(value) ? "" : formatBytes(value));
  const parsed = text.trim() === "" ? null : parseSize(text);
  const reason = parsed && !parsed.ok ? parsed.reason : null;
  return (
    <span className="block">
      <Input
        {...rest}
        value={text}
        spellCheck={false}
        autoComplete="off"
        {...(reason !== null && { "aria-invalid": true })}
        onChange={(event) => {
          setText(event.target.value);
          const size = event.target.value.trim() === "" ? null : parseSize(event.target.value);
          onChange(size === null ? null : size.ok ? size.bytes : Number.NaN);
        }}
      />
      {reason && (
        <span role="alert" className="mt-1.5 block text-[0.8125rem] text-loss-ink">
          {reason}
        </span>
      )}
    </span>
  );
}
