"use client";
import { useMutation } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { toast } from "sonner";
import { Button } from "@/app/components/button";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";

export function RunAgain({ jobId, exists }: { jobId: string; exists: boolean }) {
  const trpc = useTRPC();
  const router = useRouter();
  const run = useMutation(
    trpc.jobs.run.mutationOptions({
      onSuccess: ({ runId }) => router.push(`/runs/${runId}`),
      onError: (error) => toast.error(faultOf(error).message),
    }),
  );
  if (!exists) return null;
  return (
    <>
      <Button asChild>
        <Link href={`/jobs/${jobId}`}>Edit job</Link>
      </Button>
      <Button kind="primary" busy={run.isPending} onClick={() => run.mutate({ id: jobId })}>
        Run again
      </Button>
    </>
  );
}
