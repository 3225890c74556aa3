"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { plural } from "@/app/components/format";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import {
  type OpenFileDefaults,
  type OpenFileDefaultsChange,
  openFileDefaultsSchema,
} from "@/server/core/contracts/job";
import type { Settings } from "@/server/core/contracts/settings";
import { changedPanelFields, changeTo, inheriting, type PanelField } from "@/server/core/settings/panel-fields";
import { CacheDefaults } from "./cache-defaults";
import { QuietDefaults } from "./quiet-defaults";

export type DefaultsProps = {
  value: OpenFileDefaults;
  onChange: (next: OpenFileDefaults) => void;
  /** What is wrong with a field. */
  said: (field: PanelField) => string | null;
  /** How many jobs inherit it. */
  reach: (field: PanelField) => ReactNode;
};

/** The panel's defaults. Nothing changes before it is saved, and only what was changed here is: others may change the rest. */
export function OpenFileDefaultsCard({ settings }: { settings: Settings }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const jobs = useQuery(trpc.jobs.list.queryOptions()).data ?? [];
  // `base`: what stood here when the change began; `round` begins the fields anew.
  const [edit, setEdit] = useState<{ base: OpenFileDefaults; draft: OpenFileDefaults } | null>(null);
  const [round, setRound] = useState(0);
  const [undo, setUndo] = useState<OpenFileDefaultsChange | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const undoButton = useRef<HTMLButtonElement>(null);
  // The field or button that had the focus goes away.
  useEffect(() => {
    if (undo) undoButton.current?.focus();
  }, [undo]);
  const set = useMutation(
    trpc.settings.set.mutationOptions({
      onSuccess: (saved) => {
        queryClient.setQueryData(trpc.settings.get.queryKey(), saved);
        void queryClient.invalidateQueries({ queryKey: trpc.jobs.pathKey() });
      },
    }),
  );
  const base = edit?.base ?? settings.openFile;
  const draft = edit?.draft ?? settings.openFile;
  const changed = changedPanelFields(base, draft);
  const problems = openFileDefaultsSchema.safeParse(draft).error?.issues ?? [];
  const fault = set.error ? faultOf(set.error) : null;
  const affected = inheriting(jobs, changed).length;
  const leave = () => {
    setEdit(null);
    setRound(round + 1);
    set.reset();
    form.current?.focus();
  };
  function save() {
    if (problems.length > 0) return form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
    set.mutate(
      { openFile: changeTo(changed, draft) },
      {
        onSuccess: () => {
          leave();
          setUndo(changeTo(changed, base));
        },
      },
    );
  }
  const parts: DefaultsProps = {
    value: draft,
    onChange: (next) => setEdit({ base, draft: next }),
    said: (field) =>
      problems.find(({ path }) => path.join(".").startsWith(field))?.message ??
      (fault?.field === `openFile.${field}` ? fault.message : null),
    reach: (field) => {
      const inherit = inheriting(jobs, [field]).length;
      return jobs.length > 0 && `inherited by ${inherit} of ${plural(jobs.length, "job")}`;
    },
  };
  return (
    <Card id="open-file">
      <CardTitle>Advanced Open File, for all jobs</CardTitle>
      <p className="mb-2 text-mute">
        What a job’s panel inherits, field by field, where the job has no value of its own.
      </p>
      <form
        ref={form}
        tabIndex={-1}
        noValidate
        aria-label="Advanced Open File, for all jobs"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <div key={`${JSON.stringify(base)}${round}`}>
          <QuietDefaults {...parts} />
          <CacheDefaults {...parts} />
        </div>
        {fault && fault.field === null && (
          <Note tone="loss" title="Nothing was changed" className="mt-3">
            {fault.message}
          </Note>
        )}
        <div className="mt-3 flex flex-wrap items-center justify-end gap-x-3 gap-y-2">
          <p role="status" className="min-w-0 grow text-[0.8125rem] text-mute">
            {!edit && undo && "Saved."}
            {changed.length > 0 && `Changes ${plural(affected, "job")}, each from its next run on.`}
          </p>
          {edit && <Button onClick={leave}>Discard</Button>}
          {!edit && undo && (
            <Button
              ref={undoButton}
              busy={set.isPending}
              onClick={() =>
                set.mutate(
                  { openFile: undo },
                  {
                    onSuccess: () => {
                      setUndo(null);
                      form.current?.focus();
                    },
                  },
                )
              }
            >
              Undo
            </Button>
          )}
          <Button type="submit" kind="primary" busy={set.isPending} disabled={changed.length === 0}>
            Save defaults
          </Button>
        </div>
      </form>
    </Card>
  );
}
