"use client";
import { Select } from "@/app/components/select";
import type { HostView } from "@/server/core/contracts/views";

type HostFilterProps = { hosts: readonly HostView[]; value: string; onChange: (hostId: string) => void };

/** One host's entries only. Nothing where there is but one host. */
export function HostFilter({ hosts, value, onChange }: HostFilterProps) {
  if (hosts.length < 2 && value === "") return null;
  const options = [{ value: "", label: "Every host" }, ...hosts.map(({ id, name }) => ({ value: id, label: name }))];
  return <Select label="Host" value={value} options={options} onChange={onChange} />;
}
