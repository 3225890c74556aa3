"use client";
import { useQuery } from "@tanstack/react-query";
import { Field } from "@/app/components/field";
import { IgnoredVolumes } from "@/app/components/ignored-volumes";
import { LinesInput } from "@/app/components/lines-input";
import { SecondsInput } from "@/app/components/seconds-input";
import { Segmented } from "@/app/components/segmented";
import { useTRPC } from "@/app/trpc/client";
import { atTimeoutWords } from "@/server/core/settings/open-file-words";
import type { DefaultsProps } from "./open-file-defaults";

/** How long a freeze waits for a moment without a write. */
export function QuietDefaults({ value, onChange, said, reach }: DefaultsProps) {
  const trpc = useTRPC();
  const volumes = useQuery(trpc.volumes.list.queryOptions({})).data ?? [];
  const { quiet } = value;
  const change = (part: Partial<typeof quiet>) => onChange({ ...value, quiet: { ...quiet, ...part } });
  return (
    <>
      <Field
        row
        label="Minimum quiet time"
        note={reach("quiet.minimumMs")}
        hint="The freeze waits for a gap without a write at least this long. 0: it does not wait."
        error={said("quiet.minimumMs")}
      >
        <SecondsInput value={quiet.minimumMs} onChange={(minimumMs) => change({ minimumMs })} />
      </Field>
      <Field
        row
        label="Give up waiting after"
        note={reach("quiet.timeoutMs")}
        hint="How long a run may wait for such a gap."
        error={said("quiet.timeoutMs")}
      >
        <SecondsInput value={quiet.timeoutMs} onChange={(timeoutMs) => change({ timeoutMs })} />
      </Field>
      <Field
        row
        group
        label="And then"
        note={reach("quiet.atTimeout")}
        hint="The result says so when a snapshot was taken without a quiet window."
      >
        <Segmented
          value={quiet.atTimeout}
          onChange={(atTimeout) => change({ atTimeout })}
          options={[
            { value: "snapshot", label: atTimeoutWords.snapshot },
            { value: "fail", label: atTimeoutWords.fail },
          ]}
        />
      </Field>
      <Field
        row
        label="Ignored paths"
        note={reach("quiet.ignorePaths")}
        hint="Writes to these files, and to what lies below these directories, do not spoil the quiet window, on any host. They are backed up all the same."
        error={said("quiet.ignorePaths")}
      >
        <LinesInput
          value={quiet.ignorePaths}
          onChange={(ignorePaths) => change({ ignorePaths })}
          placeholder="/var/log/app.log, one a line"
        />
        <IgnoredVolumes paths={quiet.ignorePaths} volumes={volumes} />
      </Field>
    </>
  );
}
