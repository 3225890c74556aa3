"use client";
import { useQuery } from "@tanstack/react-query";
import { Controller, useFormContext } from "react-hook-form";
import { BytesInput } from "@/app/components/bytes-input";
import { Field } from "@/app/components/field";
import { SecondsInput } from "@/app/components/seconds-input";
import { Segmented } from "@/app/components/segmented";
import { Select } from "@/app/components/select";
import { Switch } from "@/app/components/switch";
import { useTRPC } from "@/app/trpc/client";
import { formatBytes } from "@/server/core/text/bytes";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { useForecast } from "./use-forecast";

const AUTOMATIC = "automatic";

/** Where caches are kept, how large they may be, and what happens at the limit. */
export function CacheFields({ jobId }: { jobId: string | null }) {
  const trpc = useTRPC();
  const { control, watch, formState } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const errors = formState.errors.openFile?.cache;
  const hostId = watch("hostId");
  const whenFull = watch("openFile.cache.whenFull");
  const locations = (useQuery(trpc.cache.list.queryOptions({})).data ?? []).filter((one) => one.hostId === hostId);
  const sizes = useForecast(jobId).fit.placements;
  const range = (pick: (size: { initialBytes: number; maxBytes: number }) => number) => {
    const values = sizes.map(pick);
    if (values.length === 0) return "automatic";
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return `automatic: ${low === high ? formatBytes(low) : `${formatBytes(low)} to ${formatBytes(high)}`}`;
  };
  return (
    <>
      <Controller
        control={control}
        name="openFile.cache.location"
        render={({ field }) => {
          const chosen = field.value ?? null;
          const extra = chosen !== null && !locations.some((one) => one.path === chosen) ? [chosen] : [];
          return (
            <Field
              row
              label="Cache location"
              hint="Where old contents are kept while the backup reads. Never on a volume of this job."
              error={errors?.location?.message}
            >
              <Select
                value={chosen ?? AUTOMATIC}
                onChange={(value) => field.onChange(value === AUTOMATIC ? null : value)}
                options={[
                  { value: AUTOMATIC, label: "Automatic", detail: "the allowed location with the most room" },
                  ...locations.map((one) => ({
                    value: one.path,
                    label: one.path,
                    detail: `${formatBytes(one.freeBytes)} free`,
                  })),
                  ...extra.map((path) => ({ value: path, label: path, detail: "not in the list of locations" })),
                ]}
              />
            </Field>
          );
        }}
      />
      <Controller
        control={control}
        name="openFile.cache.initialBytes"
        render={({ field }) => (
          <Field
            row
            label="Initial size"
            hint="Reserved for each volume before the snapshot, so that nothing else can take it."
            error={errors?.initialBytes?.message}
          >
            <BytesInput
              className="max-w-64"
              value={field.value ?? null}
              onChange={field.onChange}
              placeholder={range((size) => size.initialBytes)}
            />
          </Field>
        )}
      />
      <Controller
        control={control}
        name="openFile.cache.maxBytes"
        render={({ field }) => (
          <Field
            row
            label="Maximum size"
            hint="Most that each volume’s cache may grow to. Automatic: 30 % of the free space, at least 50 MiB."
            error={errors?.maxBytes?.message}
          >
            <BytesInput
              className="max-w-64"
              value={field.value ?? null}
              onChange={field.onChange}
              placeholder={range((size) => size.maxBytes)}
            />
          </Field>
        )}
      />
      <Controller
        control={control}
        name="openFile.cache.skipFreeBlocks"
        render={({ field }) => (
          <Field
            row
            label="Leave out free space"
            hint={
              (field.value ?? true)
                ? "What no file uses at the instant takes no cache; the image shows it as zeroes."
                : "Free space is preserved as well: for images that must have what deleted files left."
            }
          >
            <Switch checked={field.value ?? true} onChange={field.onChange} />
          </Field>
        )}
      />
      <Controller
        control={control}
        name="openFile.cache.whenFull"
        render={({ field }) => (
          <Field
            row
            group
            label="When the cache is full"
            hint={
              field.value === "hold"
                ? "Writers wait for room; after the time below the snapshot is released all the same."
                : "The snapshot is given up, the run fails with 0xa000851c, and live writes go on."
            }
          >
            <Segmented
              value={field.value ?? "release"}
              onChange={field.onChange}
              options={[
                { value: "release", label: "release the snapshot" },
                { value: "hold", label: "hold writers" },
              ]}
            />
          </Field>
        )}
      />
      {whenFull === "hold" && (
        <Controller
          control={control}
          name="openFile.cache.holdMs"
          render={({ field }) => (
            <Field
              row
              label="Hold for at most"
              hint="Longest that an application’s write may wait."
              error={errors?.holdMs?.message}
            >
              <SecondsInput value={field.value ?? 0} onChange={field.onChange} onBlur={field.onBlur} />
            </Field>
          )}
        />
      )}
    </>
  );
}
