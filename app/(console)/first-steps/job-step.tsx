"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useEffect, useState } from "react";
import { Button } from "@/app/components/button";
import { Field } from "@/app/components/field";
import { Input } from "@/app/components/input";
import { Note } from "@/app/components/note";
import { Segmented } from "@/app/components/segmented";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { HostView, VolumeView } from "@/server/core/contracts/views";
import { useRunJob } from "../jobs/use-run-job";

/** A password that nobody has to think up: 20 letters and digits that cannot be mistaken for each other. */
function makePassword(): string {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  return [...crypto.getRandomValues(new Uint8Array(20))].map((n) => letters[n % letters.length]).join("");
}

/** A job of all attached volumes to a restic repository, and its first run. */
export function JobStep({ host, volumes }: { host: HostView; volumes: readonly VolumeView[] }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const run = useRunJob();
  const [name, setName] = useState("First backup");
  const [repository, setRepository] = useState("/var/lib/stillframe-backups/first");
  const [password, setPassword] = useState("");
  const [mode, setMode] = useState<"off" | "on">("off");
  // Not at first render: the server's and the browser's would differ.
  useEffect(() => setPassword(makePassword()), []);
  const create = useMutation(trpc.jobs.create.mutationOptions());
  const fault = create.error ? faultOf(create.error) : null;
  const errorOf = (field: string) => (fault?.field === field ? fault.message : null);
  const known = ["name", "destination.repository", "password"].includes(fault?.field ?? "");

  async function createAndRun() {
    let jobId: string;
    try {
      const job = await create.mutateAsync({
        name,
        hostId: host.id,
        selection: { volumes: volumes.map((volume) => volume.name) },
        openFile: { oneAtATime: mode },
        destination: { kind: "restic", repository },
        password,
      });
      jobId = job.id;
    } catch {
      return;
    }
    await queryClient.invalidateQueries({ queryKey: trpc.overview.pathKey() });
    run.mutate({ id: jobId });
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void createAndRun();
      }}
    >
      <div className="grid gap-x-5 gap-y-3.5 md:grid-cols-2">
        <Field label="Name" error={errorOf("name")}>
          <Input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" />
        </Field>
        <Field
          label="Frozen"
          group
          hint={
            mode === "off"
              ? "One instant cuts through all volumes: what is in one fits what is in the other."
              : "Each volume at its own instant, after the cache of the one before is gone."
          }
        >
          <Segmented
            value={mode}
            onChange={setMode}
            options={[
              { value: "off", label: "All at once" },
              { value: "on", label: "One at a time" },
            ]}
          />
        </Field>
        <Field
          label="restic repository"
          hint="A directory on the host; it is made if it is not there."
          error={errorOf("destination.repository")}
        >
          <Input
            value={repository}
            onChange={(event) => setRepository(event.target.value)}
            className="font-mono"
            spellCheck={false}
          />
        </Field>
        <Field
          label="Its password"
          hint="Made up just now. It is stored encrypted and not shown again: copy it if you mean to keep this backup."
          error={errorOf("password")}
        >
          <Input
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            className="font-mono"
            spellCheck={false}
            autoComplete="off"
          />
        </Field>
      </div>
      {fault && !known && (
        <Note tone="loss" title="The job was not created" className="mt-3">
          {fault.message}
        </Note>
      )}
      <div className="mt-3.5 flex flex-wrap items-center gap-3">
        <Button type="submit" kind="primary" busy={create.isPending || run.isPending}>
          Create the job and run it
        </Button>
        <Link href="/jobs/new" className="text-accent underline">
          every setting
        </Link>
      </div>
    </form>
  );
}
