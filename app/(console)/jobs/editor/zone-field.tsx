"use client";
import { useEffect, useId, useState } from "react";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Segmented } from "@/app/components/segmented";
import { useZone } from "@/app/components/zone";

type ZoneFieldProps = { value: string | null; hostZone: string | null; onChange: (zone: string | null) => void };

/** Whose clock the times are of: the host's, or a named zone's. */
export function ZoneField({ value, hostZone, onChange }: ZoneFieldProps) {
  const own = useZone();
  const listId = useId();
  const [names, setNames] = useState<string[]>([]);
  // Not at first render: the server's list and the browser's may differ.
  useEffect(() => setNames(Intl.supportedValuesOf("timeZone")), []);
  return (
    <>
      <Field row group label="Time zone" hint="Where its clock changes in spring and autumn, the times change with it.">
        <Segmented
          value={value === null ? "host" : "named"}
          onChange={(choice) => onChange(choice === "host" ? null : own)}
          options={[
            { value: "host", label: hostZone === null ? "the host’s" : `the host’s (${hostZone})` },
            { value: "named", label: "another" },
          ]}
        />
      </Field>
      {value !== null && (
        <Field row label="Its name">
          <Input
            className="max-w-64"
            list={listId}
            spellCheck={false}
            autoComplete="off"
            placeholder="Europe/Berlin"
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <datalist id={listId}>
            {names.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </Field>
      )}
    </>
  );
}
