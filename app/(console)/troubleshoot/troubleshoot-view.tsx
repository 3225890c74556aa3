"use client";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { EmptyState } from "@/app/components/empty-state";
import { asSentence, plural } from "@/app/components/format";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Segmented } from "@/app/components/segmented";
import { CodeTag } from "@/app/components/state-badge";
import { Time } from "@/app/components/time";
import { useTRPC } from "@/app/trpc/client";
import { faultOf } from "@/app/trpc/fault";
import type { FailureView } from "@/server/core/contracts/views";
import type { ErrorCode } from "@/server/core/errors/codes";
import { errorTable } from "@/server/core/errors/table";

export function TroubleshootView() {
  const trpc = useTRPC();
  const failures = useQuery(trpc.failures.list.queryOptions(undefined, { refetchInterval: 5000 }));
  const hosts = useQuery(trpc.hosts.list.queryOptions());
  const [which, setWhich] = useState<"open" | "all">("open");
  const shown = (failures.data ?? []).filter((failure) => which === "all" || !failure.resolved);
  const resolved = (failures.data?.length ?? 0) - (failures.data?.filter((one) => !one.resolved).length ?? 0);
  const hostName = (id: string) => hosts.data?.find((host) => host.id === id)?.name ?? "unknown host";
  return (
    <>
      <PageHeader
        title="Troubleshoot"
        subtitle="Every failure with what was known at its moment, its causes already checked, and something to press."
        actions={
          <Segmented
            label="Which failures"
            value={which}
            onChange={setWhich}
            options={[
              { value: "open", label: "Open" },
              { value: "all", label: "All" },
            ]}
          />
        }
      />
      {failures.error && (
        <Note tone="loss" title="The failures cannot be listed" className="mb-4">
          {faultOf(failures.error).message}
        </Note>
      )}
      {failures.data && shown.length === 0 && (
        <EmptyState
          icon={CircleCheck}
          title={which === "open" ? "Nothing is failing" : "Nothing has failed yet"}
          action={
            <Button asChild>
              <Link href="/hosts">Run a host’s self-test</Link>
            </Button>
          }
        >
          When a run fails it appears here, with the evidence and its fixes, so that no one has to log in to the host.
          {which === "open" && resolved > 0 && ` ${plural(resolved, "earlier failure")} resolved since.`}
        </EmptyState>
      )}
      <div className="space-y-4">
        {byCode(shown).map(({ code, failures }) => (
          <Card key={code}>
            <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1">
              <h2 className="font-semibold">{errorTable[code].title}</h2>
              <CodeTag code={code} />
              <span className="text-mute text-xs">{plural(failures.length, "time")}</span>
              <Link href={`/articles/${code}`} className="ml-auto text-[0.8125rem] text-accent hover:underline">
                Article
              </Link>
            </div>
            <ul>
              {failures.map((failure) => (
                <li
                  key={failure.id}
                  className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-line border-t py-2.5"
                >
                  <div className="min-w-0 flex-[1_1_18rem]">
                    <p className="wrap-anywhere">{asSentence(failure.message)}</p>
                    <p className="wrap-anywhere text-mute text-xs">
                      <Time at={failure.at} /> · {failure.job.name} on {hostName(failure.hostId)}
                      {failure.volume && ` · ${failure.volume}`}
                    </p>
                  </div>
                  <span className="flex items-center gap-3">
                    {failure.resolved && (
                      <span className="inline-flex items-center gap-1.5 text-accent text-xs">
                        <CircleCheck className="size-4" aria-hidden />
                        resolved since
                      </span>
                    )}
                    <Button asChild size="small" kind={failure.resolved ? "plain" : "primary"}>
                      <Link href={`/troubleshoot/${failure.id}`}>{failure.resolved ? "Look" : "Fix it"}</Link>
                    </Button>
                  </span>
                </li>
              ))}
            </ul>
          </Card>
        ))}
      </div>
    </>
  );
}

function byCode(failures: readonly FailureView[]): { code: ErrorCode; failures: FailureView[] }[] {
  const codes = [...new Set(failures.map((failure) => failure.code))];
  return codes.map((code) => ({ code, failures: failures.filter((failure) => failure.code === code) }));
}
