"use client";
import { ListSearch } from "@/app/components/list/list-search";
import { Select } from "@/app/components/select";
import type { HostView } from "@/server/core/contracts/views";
import type { VolumeListQuery } from "@/server/core/lists/volume-list";
import { HostFilter } from "../lists/host-filter";

const states = [
  { value: "", label: "Every state" },
  { value: "attached", label: "Attached" },
  { value: "unreachable", label: "Unreachable" },
  { value: "detached", label: "Detached" },
  { value: "available", label: "Not attached" },
] as const;
const orders = [
  { value: "state", label: "Attached first" },
  { value: "name", label: "By name" },
  { value: "largest", label: "Largest first" },
  { value: "fullest", label: "Fullest first" },
] as const;

type VolumeFiltersProps = {
  query: VolumeListQuery;
  hosts: readonly HostView[];
  onChange: (part: Partial<VolumeListQuery>) => void;
  onClear: (() => void) | undefined;
};

export function VolumeFilters({ query, hosts, onChange, onClear }: VolumeFiltersProps) {
  return (
    <ListSearch
      label="Volume, path or device"
      text={query.text}
      onSearch={(text) => onChange({ text })}
      onClear={onClear}
    >
      <Select label="State" value={query.state} options={states} onChange={(state) => onChange({ state })} />
      <HostFilter hosts={hosts} value={query.hostId} onChange={(hostId) => onChange({ hostId })} />
      <Select label="Order" value={query.sort} options={orders} onChange={(sort) => onChange({ sort })} />
    </ListSearch>
  );
}
