import type { Metadata } from "next";
import { Prefetched } from "@/app/trpc/prefetched";
import { JobEditor } from "../editor/job-editor";
import { prefetchEditor } from "../editor/prefetch-editor";

export const metadata: Metadata = { title: "New job" };

export default function NewJobPage() {
  return (
    <Prefetched fetch={(trpc, client) => prefetchEditor(trpc, client, null)}>
      <JobEditor job={null} />
    </Prefetched>
  );
}
