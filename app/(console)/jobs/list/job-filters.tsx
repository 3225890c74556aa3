"use client";
import { ListSearch } from "@/app/components/list/list-search";
import { Select } from "@/app/components/select";
import type { HostView } from "@/server/core/contracts/views";
import type { JobListQuery } from "@/server/core/lists/job-list";
import { HostFilter } from "../../lists/host-filter";

const results = [
  { value: "", label: "Every job" },
  { value: "running", label: "Running now" },
  { value: "paused", label: "Paused" },
  { value: "never", label: "Never ran" },
  { value: "succeeded", label: "Last run succeeded" },
  { value: "warnings", label: "Last run with warnings" },
  { value: "failed", label: "Last run failed" },
  { value: "cancelled", label: "Last run cancelled" },
  { value: "interrupted", label: "Last run interrupted" },
] as const;
const orders = [
  { value: "name", label: "By name" },
  { value: "nextRun", label: "Next run first" },
  { value: "latest", label: "Latest run first" },
  { value: "longestAgo", label: "Longest not run first" },
] as const;

type JobFiltersProps = {
  query: JobListQuery;
  hosts: readonly HostView[];
  onChange: (part: Partial<JobListQuery>) => void;
  onClear: (() => void) | undefined;
};

export function JobFilters({ query, hosts, onChange, onClear }: JobFiltersProps) {
  return (
    <ListSearch
      label="Job, host, volume or path"
      text={query.text}
      onSearch={(text) => onChange({ text })}
      onClear={onClear}
    >
      <Select label="State" value={query.result} options={results} onChange={(result) => onChange({ result })} />
      <HostFilter hosts={hosts} value={query.hostId} onChange={(hostId) => onChange({ hostId })} />
      <Select label="Order" value={query.sort} options={orders} onChange={(sort) => onChange({ sort })} />
    </ListSearch>
  );
}
