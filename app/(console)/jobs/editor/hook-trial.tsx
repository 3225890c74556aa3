"use client";
import { useMutation } from "@tanstack/react-query";
import { useFormContext } from "react-hook-form";
import { Button } from "@/app/components/button";
import { asSentence } from "@/app/components/format";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { Hook } from "@/server/core/contracts/hooks";
import { LogLines } from "../../troubleshoot/[id]/evidence/log-lines";
import type { JobDraft, JobDraftIn } from "./job-draft";

/** Runs the hook on its host as it stands in the form, and shows what it says. No snapshot is taken. */
export function HookTrial({ hook }: { hook: Hook }) {
  const trpc = useTRPC();
  const { getValues } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const trial = useMutation(trpc.jobs.testHook.mutationOptions());
  const press = () => {
    const { hostId, name, selection } = getValues();
    trial.mutate({ hostId, hook, jobName: name, volumes: selection.volumes });
  };
  const { data, error } = trial;
  return (
    <div>
      <Button size="small" onClick={press} busy={trial.isPending}>
        Run it alone
      </Button>
      {error && (
        <Note tone="loss" title="Not run" className="mt-3">
          {faultOf(error).message}
        </Note>
      )}
      {data && (
        <>
          <Note tone={data.ok ? "good" : "loss"} title={data.ok ? "It works" : "It fails"} className="mt-3">
            {asSentence(data.message)}
          </Note>
          <LogLines lines={data.lines} label="What it said" />
        </>
      )}
    </div>
  );
}
