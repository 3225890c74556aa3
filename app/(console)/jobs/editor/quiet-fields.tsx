"use client";
import { useQuery } from "@tanstack/react-query";
import { Controller, useFormContext } from "react-hook-form";
import { IgnoredVolumes } from "@/app/components/ignored-volumes";
import { LinesInput } from "@/app/components/lines-input";
import { SecondsInput } from "@/app/components/seconds-input";
import { useTRPC } from "@/app/trpc/client";
import { defaultSettings } from "@/server/core/contracts/settings";
import { atTimeoutWords, lengthWords, pathsWords, quietWords } from "@/server/core/settings/open-file-words";
import { firstMessage } from "./first-message";
import { Inheritable, InheritableChoice } from "./inheritable";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { useDraftOpenFile } from "./use-draft-open-file";

const fallback = defaultSettings.openFile.quiet;

/** How long the freeze waits for a moment without a write, what does not count as one, and what then. */
export function QuietFields() {
  const trpc = useTRPC();
  const { control, formState, watch } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const hostId = watch("hostId");
  const volumes = useQuery(trpc.volumes.list.queryOptions({})).data ?? [];
  const errors = formState.errors.openFile?.quiet;
  const { settings, effective } = useDraftOpenFile();
  const inherited = settings?.openFile.quiet;
  return (
    <>
      <Controller
        control={control}
        name="openFile.quiet.minimumMs"
        render={({ field }) => (
          <Inheritable
            label="Minimum quiet time"
            hint="The freeze waits for a gap without a write at least this long. 0: it does not wait."
            error={errors?.minimumMs?.message}
            value={field.value ?? "inherit"}
            onChange={field.onChange}
            inherited={inherited?.minimumMs}
            fallback={fallback.minimumMs}
            words={quietWords}
          >
            {(value, onChange) => <SecondsInput value={value} onChange={onChange} onBlur={field.onBlur} />}
          </Inheritable>
        )}
      />
      {effective.quiet.minimumMs !== 0 && (
        <>
          <Controller
            control={control}
            name="openFile.quiet.timeoutMs"
            render={({ field }) => (
              <Inheritable
                label="Give up waiting after"
                hint="How long a run may wait for such a gap."
                error={errors?.timeoutMs?.message}
                value={field.value ?? "inherit"}
                onChange={field.onChange}
                inherited={inherited?.timeoutMs}
                fallback={fallback.timeoutMs}
                words={lengthWords}
              >
                {(value, onChange) => <SecondsInput value={value} onChange={onChange} onBlur={field.onBlur} />}
              </Inheritable>
            )}
          />
          <Controller
            control={control}
            name="openFile.quiet.atTimeout"
            render={({ field }) => (
              <InheritableChoice
                label="And then"
                hint="The result says so when a snapshot was taken without a quiet window."
                value={field.value ?? "inherit"}
                onChange={field.onChange}
                inherited={inherited?.atTimeout}
                words={atTimeoutWords}
              />
            )}
          />
          <Controller
            control={control}
            name="openFile.quiet.ignorePaths"
            render={({ field }) => (
              <Inheritable
                label="Ignored paths"
                hint="Writes to these files, and to what lies below these directories, do not spoil the quiet window. They are backed up all the same."
                error={firstMessage(errors?.ignorePaths)}
                value={(field.value as string[] | "inherit" | undefined) ?? "inherit"}
                onChange={field.onChange}
                inherited={inherited?.ignorePaths}
                fallback={fallback.ignorePaths}
                words={pathsWords}
              >
                {(value, onChange) => (
                  <>
                    <LinesInput
                      value={value}
                      onChange={onChange}
                      onBlur={field.onBlur}
                      placeholder="/var/log/app.log, one a line"
                    />
                    <IgnoredVolumes paths={value} volumes={volumes.filter((one) => one.hostId === hostId)} />
                  </>
                )}
              </Inheritable>
            )}
          />
        </>
      )}
    </>
  );
}
