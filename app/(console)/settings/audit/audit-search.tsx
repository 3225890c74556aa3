"use client";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Input } from "@/app/components/input";
import { Select } from "@/app/components/select";
import { auditActions } from "@/server/core/access/audit";
import { type AuditFilter, auditAddress } from "./audit-filter";

const all = { value: "", label: "Every action" };
const options = [
  all,
  ...Object.entries(auditActions)
    .map(([value, label]) => ({ value, label }))
    .sort((a, b) => a.label.localeCompare(b.label)),
];

export function AuditSearch({ filter }: { filter: AuditFilter }) {
  const router = useRouter();
  const [text, setText] = useState(filter.text ?? "");
  const go = (next: AuditFilter) => router.replace(auditAddress(next));
  return (
    <search className="mb-4 block">
      <form
        className="flex flex-wrap items-center gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          go({ ...filter, text });
        }}
      >
        <span className="min-w-0 grow basis-56 sm:max-w-xs">
          <Input
            type="search"
            aria-label="Somebody’s e-mail or a subject"
            placeholder="E-mail or subject"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </span>
        <Select
          label="Action"
          value={filter.action ?? ""}
          options={options}
          onChange={(action) => go({ ...filter, text, action })}
        />
        <Button type="submit">Search</Button>
        {Object.keys(filter).length > 0 && (
          <Button
            kind="quiet"
            onClick={() => {
              setText("");
              go({});
            }}
          >
            Show all
          </Button>
        )}
      </form>
    </search>
  );
}
