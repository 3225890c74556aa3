"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { Fault } from "@/server/core/contracts/link";
import type { HostView, VolumeView } from "@/server/core/contracts/views";
import { type LiveWrites, volumeKey } from "../live/use-live-writes";
import { WriteActivity } from "../live/write-activity";
import { type PracticeDraft, PracticeFields, practiceDefaults } from "../volumes/practice-fields";

type VolumesStepProps = {
  host: HostView;
  volumes: readonly VolumeView[];
  writes: ReadonlyMap<string, LiveWrites>;
  open: boolean;
  /** Told when volumes begin to be made, and when all that could be are there. */
  onMaking: (making: boolean) => void;
};

const suggested: readonly PracticeDraft[] = [
  { ...practiceDefaults, name: "accounts" },
  { ...practiceDefaults, name: "letters", fs: "xfs" },
];

/** Two practice volumes, named and sized as one likes; once they are there, their writes as they happen. */
export function VolumesStep({ host, volumes, writes, open, onMaking }: VolumesStepProps) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [drafts, setDrafts] = useState<readonly PracticeDraft[]>(suggested);
  const [creating, setCreating] = useState<number | null>(null);
  const [fault, setFault] = useState<{ index: number; fault: Fault } | null>(null);
  const create = useMutation(trpc.volumes.createPractice.mutationOptions());

  async function createAll() {
    setFault(null);
    onMaking(true);
    for (const [index, draft] of drafts.entries()) {
      if (volumes.some((volume) => volume.name === draft.name.trim())) continue;
      setCreating(index);
      try {
        await create.mutateAsync({ hostId: host.id, ...draft, sizeBytes: draft.sizeBytes ?? Number.NaN });
      } catch (error) {
        setFault({ index, fault: faultOf(error) });
        break;
      }
    }
    setCreating(null);
    await queryClient.invalidateQueries({ queryKey: trpc.overview.pathKey() });
    await queryClient.invalidateQueries({ queryKey: trpc.volumes.pathKey() });
    onMaking(false);
  }

  if (!open && creating === null && fault === null)
    return (
      <ul className="space-y-1.5">
        {volumes.map((volume) => (
          <li key={volumeKey(volume)} className="flex flex-wrap items-center gap-x-4">
            <span className="min-w-24 font-medium text-[0.8125rem]">{volume.name}</span>
            <WriteActivity writes={writes.get(volumeKey(volume))} name={volume.name} />
          </li>
        ))}
      </ul>
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void createAll();
      }}
    >
      <div className="grid gap-3 lg:grid-cols-2">
        {drafts.map((draft, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the two drafts keep their places; their names change
          <fieldset key={index} disabled={creating !== null} className="min-w-0 rounded-lg border border-line p-3.5">
            <legend className="sr-only">Practice volume {index + 1}</legend>
            <PracticeFields
              draft={draft}
              onChange={(next) => setDrafts(drafts.map((one, i) => (i === index ? next : one)))}
              fault={fault?.index === index ? fault.fault : null}
            />
          </fieldset>
        ))}
      </div>
      {fault && (
        <Note tone="loss" title={`${drafts[fault.index]?.name} was not created`} className="mt-3">
          {fault.fault.message}
        </Note>
      )}
      <div className="mt-3.5 flex flex-wrap items-center gap-3">
        <Button
          type="submit"
          kind="primary"
          busy={creating !== null}
          disabled={drafts.some((draft) => draft.name.trim() === "")}
        >
          {creating === null ? "Create both volumes" : `Creating ${drafts[creating]?.name}`}
        </Button>
        <span className="text-mute">
          or{" "}
          <Link href="/volumes" className="text-accent underline">
            attach a volume of your own
          </Link>
        </span>
      </div>
    </form>
  );
}
