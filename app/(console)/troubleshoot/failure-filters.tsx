"use client";
import { ListSearch } from "@/app/components/list/list-search";
import { Select } from "@/app/components/select";
import type { HostView } from "@/server/core/contracts/views";
import { errorCodes } from "@/server/core/errors/codes";
import { errorTable } from "@/server/core/errors/table";
import type { FailureListQuery } from "@/server/core/lists/failure-list";
import { HostFilter } from "../lists/host-filter";

const states = [
  { value: "attention", label: "Needs attention" },
  { value: "acknowledged", label: "Acknowledged" },
  { value: "resolved", label: "Resolved" },
  { value: "all", label: "All failures" },
] as const;
const orders = [
  { value: "latest", label: "Latest first" },
  { value: "oldest", label: "Longest standing first" },
  { value: "often", label: "Most often first" },
] as const;
const codes = [
  { value: "", label: "Every code" },
  ...errorCodes.map((code) => ({ value: code, label: code, detail: errorTable[code].title })),
] as const;

type FailureFiltersProps = {
  query: FailureListQuery;
  hosts: readonly HostView[];
  onChange: (part: Partial<FailureListQuery>) => void;
  onClear: (() => void) | undefined;
};

export function FailureFilters({ query, hosts, onChange, onClear }: FailureFiltersProps) {
  return (
    <ListSearch
      label="Job, host, volume or message"
      text={query.text}
      onSearch={(text) => onChange({ text })}
      onClear={onClear}
    >
      <Select label="State" value={query.state} options={states} onChange={(state) => onChange({ state })} />
      <Select
        className="max-w-60"
        label="Code"
        value={query.code}
        options={codes}
        onChange={(code) => onChange({ code })}
      />
      <HostFilter hosts={hosts} value={query.hostId} onChange={(hostId) => onChange({ hostId })} />
      <Select label="Order" value={query.sort} options={orders} onChange={(sort) => onChange({ sort })} />
    </ListSearch>
  );
}
