"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { BytesInput } from "@/app/components/bytes-input";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { Meter } from "@/app/components/meter";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import type { CachePlace, CacheView, FailureDetail } from "@/server/core/contracts/views";
import { cacheFullEvidence } from "@/server/core/errors/evidence";
import { formatBytes } from "@/server/core/text/bytes";

type CachePlaceDialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  failure: FailureDetail;
  onChoose: (cache: CachePlace) => void;
};

/** Where the job's caches go from now on, by the room that there is at this moment. */
export function CachePlaceDialog({ open, onOpenChange, failure, onChoose }: CachePlaceDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Move or enlarge the cache"
      description={`Changes the job “${failure.job.name}” only, and reruns it.`}
    >
      <CachePlaceForm failure={failure} onChoose={onChoose} onCancel={() => onOpenChange(false)} />
    </Dialog>
  );
}

const roomOf = (one: CacheView) => Math.max(0, one.freeBytes - one.reservedBytes);

type CachePlaceFormProps = Pick<CachePlaceDialogProps, "failure" | "onChoose"> & { onCancel: () => void };

function CachePlaceForm({ failure, onChoose, onCancel }: CachePlaceFormProps) {
  const trpc = useTRPC();
  const asked = useQuery(trpc.cache.list.queryOptions({ hostId: failure.hostId }));
  const evidence = cacheFullEvidence.safeParse(failure.evidence).data;
  const [location, setLocation] = useState<string | null>(null);
  const [maxBytes, setMaxBytes] = useState<number | null>(null);
  const locations = asked.data;
  if (!locations) return <Unanswered query={asked} of="cache locations" />;
  const offered = location === null ? locations : locations.filter(({ path }) => path === location);
  const room = Math.max(0, ...offered.map(roomOf));
  const tooLarge = maxBytes !== null && maxBytes > room;
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!tooLarge && !Number.isNaN(maxBytes)) onChoose({ location, maxBytes });
      }}
    >
      <fieldset className="space-y-2">
        <legend className="mb-1.5 font-medium">Location</legend>
        <Choice chosen={location === null} onChoose={() => setLocation(null)} title="Automatic">
          The allowed location with most room when the run starts
        </Choice>
        {locations.map((one) => (
          <Choice
            key={one.path}
            chosen={location === one.path}
            onChoose={() => setLocation(one.path)}
            title={<span className="wrap-anywhere font-mono text-xs">{one.path}</span>}
          >
            {formatBytes(roomOf(one))} of {formatBytes(one.totalBytes)} can be used, on the disk of {one.mount}
            <Meter
              value={one.totalBytes - roomOf(one)}
              max={one.totalBytes}
              label={`${one.path} taken`}
              className="mt-1.5"
            />
          </Choice>
        ))}
      </fieldset>
      <Field
        label="Largest size of each cache"
        error={tooLarge ? `There is room for ${formatBytes(room)} only.` : null}
        hint={
          evidence?.maxBytes
            ? `It was ${formatBytes(evidence.maxBytes)}. Empty: as large as the location allows.`
            : "Empty: as large as the location allows."
        }
      >
        <BytesInput value={maxBytes} onChange={setMaxBytes} placeholder="automatic" />
      </Field>
      <DialogActions>
        <Button onClick={onCancel}>Leave as it is</Button>
        <Button type="submit" kind="primary" disabled={tooLarge || Number.isNaN(maxBytes)}>
          Change and rerun
        </Button>
      </DialogActions>
    </form>
  );
}

type ChoiceProps = { chosen: boolean; onChoose: () => void; title: React.ReactNode; children: React.ReactNode };

function Choice({ chosen, onChoose, title, children }: ChoiceProps) {
  return (
    <label className="flex cursor-pointer gap-3 rounded-[10px] border border-line px-3 py-2.5 has-checked:border-accent">
      <input type="radio" name="location" checked={chosen} onChange={onChoose} className="mt-1 accent-accent" />
      <span className="min-w-0 flex-1">
        <span className="block font-medium">{title}</span>
        <span className="block text-[0.8125rem] text-mute">{children}</span>
      </span>
    </label>
  );
}
