"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { z } from "zod";
import { Button } from "@/app/components/button";
import { Field } from "@/app/components/field";
import { plural } from "@/app/components/format";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { absolutePath } from "@/server/core/contracts/job";
import { formatBytes } from "@/server/core/text/bytes";

type RestoreFormProps = { runId: string; chosen: readonly string[]; onClear: () => void };

const schema = z.object({ target: absolutePath });

export function RestoreForm({ runId, chosen, onClear }: RestoreFormProps) {
  const trpc = useTRPC();
  const restore = useMutation(trpc.restore.start.mutationOptions());
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { target: "" } });
  const fault = restore.error ? faultOf(restore.error) : null;
  const submit = form.handleSubmit(({ target }) => restore.mutate({ runId, paths: [...chosen], target }));
  return (
    <form onSubmit={submit} noValidate>
      <div className="flex flex-wrap items-start gap-3">
        <Field
          label="Restore to"
          hint="A directory on the host, absent or empty. Nothing that exists is overwritten."
          error={form.formState.errors.target?.message ?? (fault?.field === "target" ? fault.message : null)}
          className="grow basis-72"
        >
          <Input
            placeholder="/var/tmp/restored"
            spellCheck={false}
            className="font-mono"
            {...form.register("target")}
          />
        </Field>
        <div className="flex items-center gap-2 sm:pt-6.5">
          <Button type="submit" kind="primary" disabled={chosen.length === 0} busy={restore.isPending}>
            {chosen.length === 0 ? "Choose files first" : `Restore ${plural(chosen.length, "item")}`}
          </Button>
          {chosen.length > 0 && (
            <Button kind="quiet" onClick={onClear}>
              Choose none
            </Button>
          )}
        </div>
      </div>
      {fault && fault.field !== "target" && (
        <Note tone="loss" title="Not restored" className="mt-3">
          {fault.message}
        </Note>
      )}
      {restore.data && (
        <Note tone="good" title="Restored" className="mt-3">
          {plural(restore.data.restoredFiles, "file")}, {formatBytes(restore.data.restoredBytes)}, below{" "}
          <code className="font-mono">{restore.variables?.target}</code>.
        </Note>
      )}
    </form>
  );
}
