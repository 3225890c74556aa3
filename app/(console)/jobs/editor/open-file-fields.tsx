"use client";
import { useQuery } from "@tanstack/react-query";
import { Controller, useFormContext } from "react-hook-form";
import { Card, CardTitle } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { SecondsInput } from "@/app/components/seconds-input";
import { Segmented } from "@/app/components/segmented";
import { Select } from "@/app/components/select";
import { Switch } from "@/app/components/switch";
import { useTRPC } from "@/app/trpc/client";
import { CacheFields } from "./cache-fields";
import { HooksFields } from "./hooks-fields";
import type { JobDraft, JobDraftIn } from "./job-draft";

/** The Advanced Open File panel: how the volumes are frozen. */
export function OpenFileFields({ jobId }: { jobId: string | null }) {
  const trpc = useTRPC();
  const settings = useQuery(trpc.settings.get.queryOptions()).data;
  const { control, watch, formState } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const errors = formState.errors.openFile;
  const enabled = watch("openFile.enabled");
  const quietMs = watch("openFile.quiet.minimumMs");
  const inherited = settings === undefined ? "" : settings.oneAtATime ? " (on)" : " (off)";
  return (
    <Card>
      <CardTitle>Advanced Open File</CardTitle>
      <Controller
        control={control}
        name="openFile.enabled"
        render={({ field }) => (
          <Field
            row
            label="Use the open-file option"
            hint={
              field.value
                ? "Each volume is frozen at an instant and read from its image; applications go on writing."
                : "Off: files are read while they are written to, and may not fit together."
            }
          >
            <Switch checked={field.value ?? true} onChange={field.onChange} />
          </Field>
        )}
      />
      {enabled && (
        <>
          <Controller
            control={control}
            name="openFile.technology"
            render={({ field }) => (
              <Field row label="Technology" hint="Automatic takes the best that a volume has; at present the engine.">
                <Select
                  value={field.value ?? "automatic"}
                  onChange={field.onChange}
                  options={[
                    { value: "automatic", label: "Automatic" },
                    { value: "engine", label: "Engine", detail: "fails for a volume that is not attached" },
                  ]}
                />
              </Field>
            )}
          />
          <Controller
            control={control}
            name="openFile.oneAtATime"
            render={({ field }) => (
              <Field
                row
                group
                label="Process volumes one at a time"
                hint="Off: all volumes frozen at one instant. On: each at its own, after the cache of the one before is gone; needs less room."
              >
                <Segmented
                  value={field.value ?? "inherit"}
                  onChange={field.onChange}
                  options={[
                    { value: "inherit", label: `Inherit${inherited}` },
                    { value: "on", label: "On" },
                    { value: "off", label: "Off" },
                  ]}
                />
              </Field>
            )}
          />
          <Controller
            control={control}
            name="openFile.quiet.minimumMs"
            render={({ field }) => (
              <Field
                row
                label="Minimum quiet time"
                hint="The freeze waits for a gap without a write at least this long. 0: it does not wait."
                error={errors?.quiet?.minimumMs?.message}
              >
                <SecondsInput value={field.value ?? 0} onChange={field.onChange} onBlur={field.onBlur} />
              </Field>
            )}
          />
          {quietMs !== 0 && (
            <>
              <Controller
                control={control}
                name="openFile.quiet.timeoutMs"
                render={({ field }) => (
                  <Field
                    row
                    label="Give up waiting after"
                    hint="How long a run may wait for such a gap."
                    error={errors?.quiet?.timeoutMs?.message}
                  >
                    <SecondsInput value={field.value ?? 0} onChange={field.onChange} onBlur={field.onBlur} />
                  </Field>
                )}
              />
              <Controller
                control={control}
                name="openFile.quiet.atTimeout"
                render={({ field }) => (
                  <Field row group label="And then" hint="A snapshot without a quiet window is said so in the result.">
                    <Segmented
                      value={field.value ?? "snapshot"}
                      onChange={field.onChange}
                      options={[
                        { value: "snapshot", label: "freeze anyway" },
                        { value: "fail", label: "fail with OFO-QUIET" },
                      ]}
                    />
                  </Field>
                )}
              />
            </>
          )}
          <CacheFields jobId={jobId} />
        </>
      )}
      <Controller
        control={control}
        name="openFile.noSnapshot"
        render={({ field }) => (
          <Field
            row
            group
            label="If no snapshot can be had"
            hint="Reading live may catch files between two writes; the result then carries a warning."
          >
            <Segmented
              value={field.value ?? "fail"}
              onChange={field.onChange}
              options={[
                { value: "fail", label: "fail the volume" },
                { value: "readLive", label: "read it live, warn" },
              ]}
            />
          </Field>
        )}
      />
      <HooksFields />
    </Card>
  );
}
