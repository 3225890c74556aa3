"use client";
import { useQuery } from "@tanstack/react-query";
import { Controller, useFormContext } from "react-hook-form";
import { BytesInput } from "@/app/components/bytes-input";
import { Field } from "@/app/components/field";
import { SecondsInput } from "@/app/components/seconds-input";
import { Select } from "@/app/components/select";
import { useTRPC } from "@/app/trpc/client";
import { defaultSettings } from "@/server/core/contracts/settings";
import { type SizeProblem, sizeProblem } from "@/server/core/settings/effective-open-file";
import { lengthWords, onOff, onOffWords, sizeWords, whenFullWords } from "@/server/core/settings/open-file-words";
import { formatBytes } from "@/server/core/text/bytes";
import { Inheritable, InheritableChoice } from "./inheritable";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { useDraftOpenFile } from "./use-draft-open-file";
import { useForecast } from "./use-forecast";

const AUTOMATIC = "automatic";

type Size = "initialBytes" | "maxBytes";
const sizes: readonly { size: Size; label: string; hint: string }[] = [
  {
    size: "initialBytes",
    label: "Initial size",
    hint: "Reserved for each volume before the snapshot, so that nothing else can take it.",
  },
  {
    size: "maxBytes",
    label: "Maximum size",
    hint: "Most that each volume’s cache may grow to. Automatic: 30 % of the free space, at least 50 MiB.",
  },
];

/** Where caches are kept, how large they may be, and what happens at the limit. */
export function CacheFields({ jobId }: { jobId: string | null }) {
  const trpc = useTRPC();
  const { control, watch, formState } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const errors = formState.errors.openFile?.cache;
  const hostId = watch("hostId");
  const { settings, own, effective } = useDraftOpenFile();
  const inherited = settings?.openFile.cache;
  const holds = effective.cache.whenFull === "hold";
  const problem = settings && sizeProblem(own, settings);
  const wrong = (field: SizeProblem["field"]) => (problem?.field === field ? problem.message : undefined);
  const locations = (useQuery(trpc.cache.list.queryOptions({})).data ?? []).filter((one) => one.hostId === hostId);
  const { placements } = useForecast(jobId).fit;
  const range = (size: Size) => {
    const values = placements.map((placement) => placement[size]);
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
      {sizes.map(({ size, label, hint }) => (
        <Controller
          key={size}
          control={control}
          name={`openFile.cache.${size}`}
          render={({ field }) => (
            <Inheritable
              label={label}
              hint={hint}
              error={errors?.[size]?.message ?? wrong(`openFile.cache.${size}`)}
              value={field.value === undefined ? "inherit" : field.value}
              onChange={field.onChange}
              inherited={inherited?.[size]}
              fallback={null}
              words={sizeWords}
            >
              {(value, onChange) => (
                <BytesInput className="max-w-64" value={value} onChange={onChange} placeholder={range(size)} />
              )}
            </Inheritable>
          )}
        />
      ))}
      <Controller
        control={control}
        name="openFile.cache.skipFreeBlocks"
        render={({ field }) => (
          <InheritableChoice
            label="Leave out free space"
            hint={
              effective.cache.skipFreeBlocks
                ? "What no file uses at the instant takes no cache; the image shows it as zeroes."
                : "Free space is preserved as well: for images that must have what deleted files left."
            }
            value={typeof field.value === "boolean" ? onOff(field.value) : "inherit"}
            onChange={(value) => field.onChange(value === "inherit" ? value : value === "on")}
            inherited={inherited && onOff(inherited.skipFreeBlocks)}
            words={onOffWords}
          />
        )}
      />
      <Controller
        control={control}
        name="openFile.cache.whenFull"
        render={({ field }) => (
          <InheritableChoice
            label="When the cache is full"
            hint={
              holds
                ? "Writers wait for room; after the time below the snapshot is released all the same."
                : "The snapshot is given up, the run fails with 0xa000851c, and live writes go on."
            }
            value={field.value ?? "inherit"}
            onChange={field.onChange}
            inherited={inherited?.whenFull}
            words={whenFullWords}
          />
        )}
      />
      {holds && (
        <Controller
          control={control}
          name="openFile.cache.holdMs"
          render={({ field }) => (
            <Inheritable
              label="Hold for at most"
              hint="Longest that an application’s write may wait."
              error={errors?.holdMs?.message}
              value={field.value ?? "inherit"}
              onChange={field.onChange}
              inherited={inherited?.holdMs}
              fallback={defaultSettings.openFile.cache.holdMs}
              words={lengthWords}
            >
              {(value, onChange) => <SecondsInput value={value} onChange={onChange} onBlur={field.onBlur} />}
            </Inheritable>
          )}
        />
      )}
    </>
  );
}
