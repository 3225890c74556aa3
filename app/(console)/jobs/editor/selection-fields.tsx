"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { Controller, useFormContext } from "react-hook-form";
import { Card, CardTitle } from "@/app/components/card";
import { Checkbox } from "@/app/components/checkbox";
import { Field } from "@/app/components/field";
import { formatBytesOf } from "@/app/components/format";
import { Input } from "@/app/components/input";
import { LinesInput } from "@/app/components/lines-input";
import { StateBadge } from "@/app/components/state-badge";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import type { HostView } from "@/server/core/contracts/views";
import { HostChoice } from "../../volumes/host-choice";
import { firstMessage } from "./first-message";
import type { JobDraft, JobDraftIn } from "./job-draft";

export function SelectionFields({ hosts }: { hosts: readonly HostView[] }) {
  const { control, register, formState } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const { errors } = formState;
  return (
    <Card>
      <CardTitle>What is backed up</CardTitle>
      <Field row label="Name" error={errors.name?.message}>
        <Input className="max-w-96" autoComplete="off" placeholder="Nightly database" {...register("name")} />
      </Field>
      <Controller
        control={control}
        name="hostId"
        render={({ field }) => (
          <HostChoice row hosts={hosts} value={field.value} onChange={field.onChange} error={errors.hostId?.message} />
        )}
      />
      <VolumeChoice />
      <Controller
        control={control}
        name="selection.paths"
        render={({ field }) => (
          <Field
            row
            label="Only these paths"
            hint="One a line. Empty: the whole of each volume."
            error={firstMessage(errors.selection?.paths)}
          >
            <LinesInput value={field.value ?? []} onChange={field.onChange} onBlur={field.onBlur} />
          </Field>
        )}
      />
      <Controller
        control={control}
        name="selection.excludes"
        render={({ field }) => (
          <Field
            row
            label="Leave out"
            hint="Patterns of restic, one a line: *.tmp, /srv/data/cache/**"
            error={firstMessage(errors.selection?.excludes)}
          >
            <LinesInput value={field.value ?? []} onChange={field.onChange} onBlur={field.onBlur} />
          </Field>
        )}
      />
    </Card>
  );
}

function VolumeChoice() {
  const trpc = useTRPC();
  const { control, watch, formState } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const hostId = watch("hostId");
  const volumes = useQuery(trpc.volumes.list.queryOptions({}, { refetchInterval: 5000 }));
  const here = (volumes.data ?? [])
    .filter((volume) => volume.hostId === hostId)
    .sort((a, b) => Number(b.provider === "engine") - Number(a.provider === "engine") || a.name.localeCompare(b.name));
  return (
    <Controller
      control={control}
      name="selection.volumes"
      render={({ field }) => {
        const gone = field.value.filter((name) => volumes.data && !here.some((volume) => volume.name === name));
        const toggle = (name: string, on: boolean) =>
          field.onChange(on ? [...field.value, name] : field.value.filter((one) => one !== name));
        return (
          <Field
            row
            group
            label="Volumes"
            hint="Frozen together at one instant, or one after the other; see below."
            error={firstMessage(formState.errors.selection?.volumes)}
          >
            <ul className="max-h-72 overflow-y-auto rounded-lg border border-line">
              {here.map((volume) => (
                <li key={volume.name} className="border-line border-t px-3 py-2 first:border-0">
                  <Checkbox
                    checked={field.value.includes(volume.name)}
                    onChange={(on) => toggle(volume.name, on)}
                    label={volume.name}
                  >
                    <span className="flex flex-wrap items-center justify-between gap-x-3">
                      <span className="wrap-anywhere font-medium">{volume.name}</span>
                      <span className="flex flex-wrap items-center gap-x-3 text-mute text-xs">
                        <span className="font-mono">
                          {volume.fsType ?? "?"}, {formatBytesOf(volume.usedBytes, volume.sizeBytes)}
                        </span>
                        <StateBadge state={volume.state} />
                      </span>
                    </span>
                  </Checkbox>
                </li>
              ))}
              {gone.map((name) => (
                <li key={name} className="border-line border-t px-3 py-2 first:border-0">
                  <Checkbox checked onChange={() => toggle(name, false)} label={name}>
                    <span className="font-medium">{name}</span>{" "}
                    <span className="text-loss-ink text-xs">no longer on this host</span>
                  </Checkbox>
                </li>
              ))}
              {volumes.data === undefined && (
                <li className="p-3">
                  <Unanswered query={volumes} of="volumes" />
                </li>
              )}
              {volumes.data && here.length + gone.length === 0 && (
                <li className="p-3 text-mute">
                  This host has no volumes yet.{" "}
                  <Link href="/volumes" className="text-accent underline">
                    Make one to practise on
                  </Link>
                </li>
              )}
            </ul>
          </Field>
        );
      }}
    />
  );
}
