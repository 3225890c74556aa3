"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { type FieldPath, FormProvider, useForm } from "react-hook-form";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import { jobInputSchema } from "@/server/core/contracts/job";
import type { HostView, JobView } from "@/server/core/contracts/views";
import { May, ReadOnlyUnless } from "../../access/may";
import { useRunJob } from "../use-run-job";
import { DestinationFields } from "./destination-fields";
import { ForecastCard } from "./forecast-card";
import { draftOf, type JobDraft, type JobDraftIn } from "./job-draft";
import { NotificationsCard } from "./notifications-card";
import { OpenFileFields } from "./open-file-fields";
import { RemoveJob } from "./remove-job";
import { ScheduleFields } from "./schedule-fields";
import { SelectionFields } from "./selection-fields";

/** Makes a job, or changes one, once it is known which hosts there are. */
export function JobEditor({ job }: { job: JobView | null }) {
  const trpc = useTRPC();
  const hosts = useQuery(trpc.hosts.list.queryOptions());
  if (hosts.data) return <JobForm job={job} hosts={hosts.data} />;
  return (
    <>
      <JobHeader job={job} />
      <Unanswered query={hosts} of="hosts" />
    </>
  );
}

/** What was entered stays in the form whatever the console answers. */
function JobForm({ job, hosts }: { job: JobView | null; hosts: readonly HostView[] }) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const firstHost = (hosts.find((host) => host.connected) ?? hosts[0])?.id ?? "";
  const form = useForm<JobDraftIn, unknown, JobDraft>({
    resolver: zodResolver(jobInputSchema),
    defaultValues: draftOf(job, firstHost),
  });
  const create = useMutation(trpc.jobs.create.mutationOptions());
  const update = useMutation(trpc.jobs.update.mutationOptions());
  const run = useRunJob();
  const { errors, isSubmitting, isDirty } = form.formState;

  async function save(draft: JobDraft): Promise<JobView | null> {
    try {
      const saved = job ? await update.mutateAsync({ id: job.id, job: draft }) : await create.mutateAsync(draft);
      form.reset(draftOf(saved, saved.hostId));
      queryClient.setQueryData(trpc.jobs.get.queryKey({ id: saved.id }), saved);
      await queryClient.invalidateQueries({ queryKey: trpc.jobs.list.queryKey() });
      return saved;
    } catch (error) {
      const fault = faultOf(error);
      const field = fault.field?.replace(/^job\./, "") ?? "";
      const known = (field.split(".")[0] ?? "") in draft;
      form.setError(
        known ? (field as FieldPath<JobDraftIn>) : "root",
        { message: fault.message },
        { shouldFocus: true },
      );
      return null;
    }
  }
  const submit = form.handleSubmit(async (draft) => {
    const saved = await save(draft);
    if (!saved) return;
    toast.success(job ? "Saved." : `${saved.name} is there.`);
    if (!job) router.push(`/jobs/${saved.id}`);
  });
  const saveAndRun = form.handleSubmit(async (draft) => {
    const saved = job && !isDirty ? job : await save(draft);
    if (saved) run.mutate({ id: saved.id });
  });
  const wrong = Object.keys(errors).filter((key) => key !== "root").length > 0;
  return (
    <FormProvider {...form}>
      <form onSubmit={submit} noValidate>
        <JobHeader
          job={job}
          actions={
            <>
              <May permission="changeJobs">{job && <RemoveJob job={job} />}</May>
              <May permission={job ? "runJobs" : "changeJobs"}>
                <Button busy={run.isPending} onClick={() => void saveAndRun()}>
                  {job && !isDirty ? "Run now" : "Save and run"}
                </Button>
              </May>
              <May permission="changeJobs">
                <Button type="submit" kind="primary" busy={isSubmitting}>
                  {job ? "Save" : "Create job"}
                </Button>
              </May>
            </>
          }
        />
        {(errors.root || wrong) && (
          <Note tone="loss" title="Not saved" className="mb-4">
            {errors.root?.message ?? "Some fields need another look; they say why."}
          </Note>
        )}
        <div className="grid items-start gap-4 xl:grid-cols-[1fr_minmax(0,27rem)]">
          <div className="min-w-0 space-y-4">
            <ReadOnlyUnless permission="changeJobs">
              <SelectionFields hosts={hosts} />
              <DestinationFields job={job} />
              <ScheduleFields hosts={hosts} />
              <OpenFileFields jobId={job?.id ?? null} />
              <div className="flex justify-end">
                <Button type="submit" kind="primary" busy={isSubmitting}>
                  {job ? "Save changes" : "Create this job"}
                </Button>
              </div>
            </ReadOnlyUnless>
            <NotificationsCard jobId={job?.id ?? null} />
          </div>
          <div className="min-w-0 xl:sticky xl:top-5">
            <ForecastCard jobId={job?.id ?? null} />
          </div>
        </div>
      </form>
    </FormProvider>
  );
}

function JobHeader({ job, actions }: { job: JobView | null; actions?: ReactNode }) {
  return (
    <PageHeader
      title={job?.name ?? "New job"}
      trail={
        <>
          <Link href="/jobs">Jobs</Link> / {job?.name ?? "New"}
        </>
      }
      actions={actions}
    />
  );
}
