"use client";
import { Field } from "@/app/components/field";
import { Select } from "@/app/components/select";
import type { HostView } from "@/server/core/contracts/views";

type HostChoiceProps = {
  hosts: readonly HostView[];
  value: string;
  onChange: (hostId: string) => void;
  error?: string | null;
  /** As in `Field`. */
  row?: boolean;
};

/** Which host; says nothing where there is only one. */
export function HostChoice({ hosts, value, onChange, error, row }: HostChoiceProps) {
  if (hosts.length < 2) return null;
  return (
    <Field label="Host" row={row} className={row ? "" : "mb-3.5"} error={error}>
      <Select
        value={value}
        onChange={onChange}
        options={hosts.map((host) => ({
          value: host.id,
          label: host.name,
          detail: host.connected ? undefined : "not connected",
        }))}
      />
    </Field>
  );
}
