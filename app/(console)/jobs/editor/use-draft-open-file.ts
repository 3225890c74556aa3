"use client";
import { useQuery } from "@tanstack/react-query";
import { useFormContext } from "react-hook-form";
import { useTRPC } from "@/app/trpc/client";
import type { JobOpenFile } from "@/server/core/contracts/job";
import { defaultSettings } from "@/server/core/contracts/settings";
import { effectiveOpenFile } from "@/server/core/settings/effective-open-file";
import type { JobDraft, JobDraftIn } from "./job-draft";

/** The panel as it stands in the form: what it inherits, and what it comes to. A number may not be one yet. */
export function useDraftOpenFile() {
  const trpc = useTRPC();
  const settings = useQuery(trpc.settings.get.queryOptions()).data;
  const { watch } = useFormContext<JobDraftIn, unknown, JobDraft>();
  // The form begins with every field (`job-draft.ts`).
  const own = watch("openFile") as JobOpenFile;
  return { settings, own, effective: effectiveOpenFile(own, settings ?? defaultSettings) };
}
