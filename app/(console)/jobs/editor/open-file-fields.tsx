"use client";
import { Controller, useFormContext } from "react-hook-form";
import { Card, CardTitle } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Select } from "@/app/components/select";
import { Switch } from "@/app/components/switch";
import { noSnapshotWords, onOff, onOffWords } from "@/server/core/settings/open-file-words";
import { CacheFields } from "./cache-fields";
import { HooksFields } from "./hooks-fields";
import { InheritableChoice } from "./inheritable";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { QuietFields } from "./quiet-fields";
import { useDraftOpenFile } from "./use-draft-open-file";

/** The Advanced Open File panel: how the volumes are frozen. */
export function OpenFileFields({ jobId }: { jobId: string | null }) {
  const { control } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const { settings, own } = useDraftOpenFile();
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
      {own.enabled && (
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
              <InheritableChoice
                label="Process volumes one at a time"
                hint="Off: all volumes frozen at one instant. On: each at its own, after the cache of the one before is gone; needs less room."
                value={field.value ?? "inherit"}
                onChange={field.onChange}
                inherited={settings && onOff(settings.oneAtATime)}
                words={onOffWords}
              />
            )}
          />
          <QuietFields />
          <CacheFields jobId={jobId} />
        </>
      )}
      <Controller
        control={control}
        name="openFile.noSnapshot"
        render={({ field }) => (
          <InheritableChoice
            label="If no snapshot can be had"
            hint="Reading live may catch files between two writes; the result then carries a warning."
            value={field.value ?? "inherit"}
            onChange={field.onChange}
            inherited={settings?.openFile.noSnapshot}
            words={noSnapshotWords}
          />
        )}
      />
      <HooksFields />
    </Card>
  );
}
