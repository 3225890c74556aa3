"use client";
import { BytesInput } from "@/app/components/bytes-input";
import { Field } from "@/app/components/field";
import { SecondsInput } from "@/app/components/seconds-input";
import { Segmented } from "@/app/components/segmented";
import { Switch } from "@/app/components/switch";
import { noSnapshotWords, whenFullWords } from "@/server/core/settings/open-file-words";
import type { DefaultsProps } from "./open-file-defaults";

/** How large caches may be, what happens at the limit, and what without a snapshot. */
export function CacheDefaults({ value, onChange, said, reach }: DefaultsProps) {
  const { cache } = value;
  const change = (part: Partial<typeof cache>) => onChange({ ...value, cache: { ...cache, ...part } });
  return (
    <>
      <Field
        row
        label="Initial size"
        note={reach("cache.initialBytes")}
        hint="Reserved for each volume before the snapshot. Held to the maximum size of a job that has a smaller one of its own."
        error={said("cache.initialBytes")}
      >
        <BytesInput
          className="max-w-64"
          value={cache.initialBytes}
          onChange={(initialBytes) => change({ initialBytes })}
          placeholder="automatic"
        />
      </Field>
      <Field
        row
        label="Maximum size"
        note={reach("cache.maxBytes")}
        hint="Most that each volume’s cache may grow to. Automatic: 30 % of the free space, at least 50 MiB. A job’s own initial size that is larger is held to it."
        error={said("cache.maxBytes")}
      >
        <BytesInput
          className="max-w-64"
          value={cache.maxBytes}
          onChange={(maxBytes) => change({ maxBytes })}
          placeholder="automatic"
        />
      </Field>
      <Field
        row
        label="Leave out free space"
        note={reach("cache.skipFreeBlocks")}
        hint={
          cache.skipFreeBlocks
            ? "What no file uses at the instant takes no cache; the image shows it as zeroes."
            : "Free space is preserved as well: for images that must have what deleted files left."
        }
      >
        <Switch checked={cache.skipFreeBlocks} onChange={(skipFreeBlocks) => change({ skipFreeBlocks })} />
      </Field>
      <Field
        row
        group
        label="When the cache is full"
        note={reach("cache.whenFull")}
        hint={
          cache.whenFull === "hold"
            ? "Writers wait for room; after the time below the snapshot is released all the same."
            : "The snapshot is given up, the run fails with 0xa000851c, and live writes go on."
        }
      >
        <Segmented
          value={cache.whenFull}
          onChange={(whenFull) => change({ whenFull })}
          options={[
            { value: "release", label: whenFullWords.release },
            { value: "hold", label: whenFullWords.hold },
          ]}
        />
      </Field>
      <Field
        row
        label="Hold for at most"
        note={reach("cache.holdMs")}
        hint="Longest that an application’s write may wait, in jobs that hold writers."
        error={said("cache.holdMs")}
      >
        <SecondsInput value={cache.holdMs} onChange={(holdMs) => change({ holdMs })} />
      </Field>
      <Field
        row
        group
        label="If no snapshot can be had"
        note={reach("noSnapshot")}
        hint="Reading live may catch files between two writes; the result then carries a warning."
      >
        <Segmented
          value={value.noSnapshot}
          onChange={(noSnapshot) => onChange({ ...value, noSnapshot })}
          options={[
            { value: "fail", label: noSnapshotWords.fail },
            { value: "readLive", label: noSnapshotWords.readLive },
          ]}
        />
      </Field>
    </>
  );
}
