"use client";
import { useMutation } from "@tanstack/react-query";
import { useFormContext } from "react-hook-form";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { Field } from "@/app/components/field";
import { Input, TextArea } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { Segmented } from "@/app/components/segmented";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { JobView } from "@/server/core/contracts/views";
import type { JobDraft, JobDraftIn } from "./job-draft";
import { RetentionFields } from "./retention-fields";

export function DestinationFields({ job }: { job: JobView | null }) {
  const { register, watch, setValue, formState } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const destination = watch("destination");
  const errors = formState.errors.destination as
    | { repository?: { message?: string }; command?: { message?: string } }
    | undefined;
  return (
    <Card>
      <CardTitle>Where it goes</CardTitle>
      <Field row group label="By" hint="Either way the frozen images stand at the volumes’ own paths.">
        <Segmented
          value={destination.kind}
          onChange={(kind) =>
            setValue("destination", kind === "restic" ? { kind, repository: "" } : { kind, command: "" }, {
              shouldDirty: true,
            })
          }
          options={[
            { value: "restic", label: "restic repository" },
            { value: "command", label: "any command" },
          ]}
        />
      </Field>
      {destination.kind === "restic" ? (
        <>
          <Field
            row
            label="Repository"
            hint="A directory on the host; it is made if it is not there. Not on a volume of this job."
            error={errors?.repository?.message}
          >
            <Input
              className="font-mono"
              spellCheck={false}
              placeholder="/var/backups/nightly"
              {...register("destination.repository")}
            />
          </Field>
          <Field
            row
            label="Password"
            hint={
              job?.hasPassword
                ? "One is stored, encrypted, and never shown. Write here only to replace it."
                : "Encrypts the repository. It is stored encrypted and never shown again: keep a copy, nothing can be restored without it."
            }
            error={formState.errors.password?.message}
          >
            <Input
              type="password"
              autoComplete="new-password"
              className="max-w-96"
              placeholder={job?.hasPassword ? "unchanged" : ""}
              {...register("password", { setValueAs: (value: string | undefined) => value || undefined })}
            />
          </Field>
          <RepositoryCheck job={job} />
          <RetentionFields />
        </>
      ) : (
        <Field
          row
          label="Command"
          hint="Run with /bin/sh -c. STILLFRAME_PATHS holds the paths to back up, one a line."
          error={errors?.command?.message}
        >
          <TextArea
            rows={3}
            spellCheck={false}
            className="font-mono text-[0.8125rem]"
            placeholder="tar -czf /var/backups/data.tar.gz /srv/data"
            {...register("destination.command")}
          />
        </Field>
      )}
    </Card>
  );
}

function RepositoryCheck({ job }: { job: JobView | null }) {
  const trpc = useTRPC();
  const { getValues } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const check = useMutation(trpc.jobs.checkRepository.mutationOptions());
  const press = () => {
    const { hostId, destination, password } = getValues();
    if (destination.kind !== "restic") return;
    check.mutate({
      hostId,
      repository: destination.repository,
      ...(password ? { password } : {}),
      ...(job ? { jobId: job.id } : {}),
    });
  };
  return (
    <div className="border-line border-t py-3 sm:pl-[12.5rem]">
      <Button size="small" onClick={press} busy={check.isPending}>
        Open or create it now
      </Button>
      {check.error && (
        <Note tone="loss" title="It does not open" className="mt-3">
          {faultOf(check.error).message}
        </Note>
      )}
      {check.data && (
        <Note tone="good" title={check.data.created ? "Created" : "It opens"} className="mt-3">
          {check.data.created
            ? "The repository was not there and has been made with this password."
            : "The repository is there and takes this password."}
        </Note>
      )}
    </div>
  );
}
