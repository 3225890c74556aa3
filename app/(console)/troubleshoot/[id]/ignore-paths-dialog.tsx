"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Checkbox } from "@/app/components/checkbox";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { formatCount } from "@/app/components/format";
import { IgnoredVolumes } from "@/app/components/ignored-volumes";
import { Path } from "@/app/components/path";
import { Segmented } from "@/app/components/segmented";
import { useTRPC } from "@/app/trpc/client";
import type { FailureDetail } from "@/server/core/contracts/views";
import { noQuietEvidence } from "@/server/core/errors/evidence";
import { directoryOf, widestPaths } from "@/server/core/planning/selection";

type IgnorePathsDialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  failure: FailureDetail;
  onChoose: (paths: string[]) => void;
};

/** Which of the files that were written to, or of their directories, are of no matter for the quiet window. */
export function IgnorePathsDialog({ open, onOpenChange, failure, onChoose }: IgnorePathsDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Ignore writes to these paths"
      description={`Changes the job “${failure.job.name}” only, and reruns it. Ignored files are backed up all the same.`}
    >
      <IgnorePathsForm failure={failure} onChoose={onChoose} onCancel={() => onOpenChange(false)} />
    </Dialog>
  );
}

type IgnorePathsFormProps = Pick<IgnorePathsDialogProps, "failure" | "onChoose"> & { onCancel: () => void };

function IgnorePathsForm({ failure, onChoose, onCancel }: IgnorePathsFormProps) {
  const trpc = useTRPC();
  const volumes = useQuery(trpc.volumes.list.queryOptions({ hostId: failure.hostId })).data ?? [];
  const writers = (noQuietEvidence.safeParse(failure.evidence).data?.writers ?? []).filter(
    ({ paths }) => paths.length > 0,
  );
  const [ticked, setTicked] = useState<readonly string[]>([]);
  const [what, setWhat] = useState<"files" | "directories">("files");
  // A directory at the root stands for all there is.
  const named = ticked.map((path) => (what === "files" || directoryOf(path) === "/" ? path : directoryOf(path)));
  const chosen = widestPaths(named);
  const tick = (path: string, on: boolean) => setTicked(on ? [...ticked, path] : ticked.filter((one) => one !== path));
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen.length > 0) onChoose(chosen);
      }}
    >
      {writers.map((writer) => (
        <fieldset key={writer.pid}>
          <legend className="flex w-full flex-wrap items-baseline justify-between gap-x-3 pb-1.5">
            <span className="wrap-anywhere font-medium">{writer.command}</span>
            <span className="text-mute text-xs">
              process {writer.pid},{" "}
              {writer.writes === null ? "has it open" : `${formatCount(writer.writes)} changes seen`}
            </span>
          </legend>
          <ul className="divide-y divide-line rounded-[10px] border border-line">
            {writer.paths.map((path) => (
              <li key={path} className="px-3 py-2">
                <Checkbox checked={ticked.includes(path)} onChange={(on) => tick(path, on)} label={path}>
                  <Path path={path} />
                </Checkbox>
              </li>
            ))}
          </ul>
        </fieldset>
      ))}
      <Field
        group
        label="Ignore"
        hint={
          what === "files"
            ? "These files alone. One that gets another name, as a log that is rotated, counts again."
            : "All that lies below the directories, also what is made there later."
        }
      >
        <Segmented
          value={what}
          onChange={setWhat}
          options={[
            { value: "files", label: "the files" },
            { value: "directories", label: "their directories" },
          ]}
        />
      </Field>
      <div>
        <p className="mb-1 text-[0.8125rem] text-mute">
          {chosen.length === 0 ? "Nothing is chosen yet." : "Will be ignored:"}
        </p>
        <ul aria-label="Will be ignored">
          {chosen.map((path) => (
            <li key={path}>
              <Path path={path} />
            </li>
          ))}
        </ul>
        <IgnoredVolumes paths={chosen} volumes={volumes} />
      </div>
      <DialogActions>
        <Button onClick={onCancel}>Leave as it is</Button>
        <Button type="submit" kind="primary" disabled={chosen.length === 0}>
          Ignore and rerun
        </Button>
      </DialogActions>
    </form>
  );
}
