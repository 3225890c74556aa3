"use client";
import { CircleAlert, CircleCheck, CircleDashed } from "lucide-react";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Dialog, DialogActions } from "@/app/components/dialog";
import { Field } from "@/app/components/field";
import { plural } from "@/app/components/format";
import { Input } from "@/app/components/input";
import type { JobView } from "@/server/core/contracts/views";
import { type BulkAction, useBulk } from "./use-bulk";

const words: Record<BulkAction, { verb: string; done: string; what: string }> = {
  run: { verb: "Run", done: "started", what: "They are started one after the other; a volume that is in use is left." },
  pause: {
    verb: "Pause",
    done: "paused",
    what: "A paused job is not started, by nobody, until it is continued. A run that is on goes on to its end.",
  },
  continue: { verb: "Continue", done: "continued", what: "They can be started again." },
  delete: {
    verb: "Delete",
    done: "deleted",
    what: "The jobs and their stored passwords are deleted. Backups stay, but a repository can only be opened by who knows its password.",
  },
};

type BulkDialogProps = { action: BulkAction; jobs: readonly JobView[]; onClose: () => void };

/** Asks before it does something to several jobs, and then says of each how it went. */
export function BulkDialog({ action, jobs, onClose }: BulkDialogProps) {
  const { verb, done, what } = words[action];
  const bulk = useBulk();
  const [typed, setTyped] = useState("");
  // The jobs as they were when the dialog opened: those that are deleted vanish from the list meanwhile.
  const [chosen] = useState(jobs);
  const count = plural(chosen.length, "job");
  const phrase = `delete ${count}`;
  const begun = bulk.busy || bulk.results.length > 0;
  const ready = action !== "delete" || typed.trim() === phrase;
  const good = bulk.results.filter(({ problem }) => problem === null).length;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && !bulk.busy && onClose()}
      title={begun ? `${good} of ${count} ${done}` : `${verb} ${count}?`}
      description={begun ? undefined : what}
    >
      <ul aria-label="Jobs" aria-live="polite" className="space-y-1.5">
        {chosen.map((job) => {
          const result = bulk.results.find((one) => one.job.id === job.id);
          return (
            <li key={job.id} className="flex gap-2.5">
              {result === undefined ? (
                <CircleDashed className="mt-0.5 size-4 shrink-0 text-mute" aria-hidden />
              ) : result.problem === null ? (
                <CircleCheck className="mt-0.5 size-4 shrink-0 text-accent" aria-hidden />
              ) : (
                <CircleAlert className="mt-0.5 size-4 shrink-0 text-loss-ink" aria-hidden />
              )}
              <span className="wrap-anywhere min-w-0">
                {job.name}
                {result && (result.problem === null ? `: ${done}` : ": not done")}
                {result?.problem && <span className="block text-[0.8125rem] text-mute">{result.problem}</span>}
              </span>
            </li>
          );
        })}
      </ul>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !bulk.busy) void bulk.carryOut(action, chosen);
        }}
      >
        {action === "delete" && !begun && (
          <Field label={`Type “${phrase}” to confirm`} className="mt-4">
            <Input
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              autoComplete="off"
              spellCheck={false}
            />
          </Field>
        )}
        <DialogActions>
          <Button onClick={onClose} disabled={bulk.busy}>
            {begun ? "Close" : "Cancel"}
          </Button>
          {(!begun || bulk.busy) && (
            <Button type="submit" kind={action === "delete" ? "danger" : "primary"} disabled={!ready} busy={bulk.busy}>
              {verb} {count}
            </Button>
          )}
        </DialogActions>
      </form>
    </Dialog>
  );
}
