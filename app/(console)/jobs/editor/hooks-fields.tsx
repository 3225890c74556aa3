"use client";
import { Plus } from "lucide-react";
import { Controller, useFieldArray, useFormContext } from "react-hook-form";
import { Button } from "@/app/components/button";
import { type Hook, MOST_HOOKS } from "@/server/core/contracts/hooks";
import { hookLabels } from "@/server/core/hooks/hook-words";
import { HookFields } from "./hook-fields";
import { HooksHelp } from "./hooks-help";
import type { JobDraft, JobDraftIn } from "./job-draft";

const begun: Hook = { at: "preFreeze", name: "", command: "", timeoutMs: 60_000, onFailure: "fail" };

/** Programs that bring the job's applications to rest around the snapshot. */
export function HooksFields() {
  const { control, watch } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const { fields, append, remove } = useFieldArray({ control, name: "hooks" });
  const hooks = (watch("hooks") ?? []).map((hook) => ({ ...begun, ...hook }));
  const labels = hookLabels(hooks);
  const snapshots = watch("openFile.enabled");
  return (
    <section aria-labelledby="hooks" className="border-line border-t pt-3">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h3 id="hooks" className="scroll-mt-20 font-medium">
          Hooks
        </h3>
        <Button size="small" disabled={fields.length >= MOST_HOOKS} onClick={() => append(begun)}>
          <Plus aria-hidden />
          Add a hook
        </Button>
      </div>
      <p className="mt-1.5 text-[0.8125rem] text-mute">
        Programs that run on the host, as root, so that an application’s own files fit together in the snapshot: a
        database writes down what it has in memory, or stands still for the instant.
        {snapshots === false && fields.length > 0 && (
          <> Without the open-file option only those at the run’s end are run.</>
        )}
      </p>
      {fields.length > 0 && (
        <ol className="mt-3 space-y-3">
          {fields.map((field, index) => (
            <li key={field.id}>
              <Controller
                control={control}
                name={`hooks.${index}`}
                render={({ field: { value, onChange }, formState }) => (
                  <HookFields
                    hook={{ ...begun, ...value }}
                    label={labels[index] ?? "hook"}
                    errors={formState.errors.hooks?.[index]}
                    onChange={onChange}
                    onRemove={() => remove(index)}
                  />
                )}
              />
            </li>
          ))}
        </ol>
      )}
      <HooksHelp />
    </section>
  );
}
