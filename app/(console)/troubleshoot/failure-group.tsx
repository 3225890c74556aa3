"use client";
import { CircleCheck } from "lucide-react";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { Card } from "@/app/components/card";
import { plural } from "@/app/components/format";
import { Sentence } from "@/app/components/sentence";
import { CodeTag } from "@/app/components/state-badge";
import { Ago, Time } from "@/app/components/time";
import type { FailureGroup } from "@/server/core/contracts/views";
import { errorTable } from "@/server/core/errors/table";
import { Acknowledgement } from "./acknowledgement";

/** Failures of one kind: what, where, how often, since when, and what can be done. */
export function FailureGroupCard({ group, hostName }: { group: FailureGroup; hostName: string }) {
  const { newest, resolved } = group;
  const calm = resolved || group.acknowledgement !== null;
  return (
    <Card>
      <div className="mb-1.5 flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="font-semibold">{errorTable[newest.code].title}</h2>
        <CodeTag code={newest.code} />
        {resolved && (
          <span className="inline-flex items-center gap-1.5 text-accent text-xs">
            <CircleCheck className="size-4" aria-hidden />
            resolved since
          </span>
        )}
      </div>
      <p className="wrap-anywhere">
        <Sentence text={newest.message} />
      </p>
      <p className="wrap-anywhere mt-0.5 text-mute text-xs">
        <b className="font-medium text-ink">{newest.job.name}</b> on {hostName}
        {newest.volume && ` · ${newest.volume}`} · <Frequency group={group} /> ·{" "}
        <Link href={`/articles/${newest.code}`} className="text-accent underline">
          Article
        </Link>
      </p>
      <div className="mt-3 flex flex-wrap items-center gap-2">
        <Button asChild size="small" kind={calm ? "plain" : "primary"}>
          <Link
            href={`/troubleshoot/${newest.id}`}
            aria-label={`${resolved ? "Look at" : "Fix"} ${newest.code} of ${newest.job.name}`}
          >
            {resolved ? "Look" : "Fix it"}
          </Link>
        </Button>
        <span className="min-w-0">
          <Acknowledgement group={group} />
        </span>
      </div>
    </Card>
  );
}

/** How often and since when: of an open group what happened since the job last succeeded. */
export function Frequency({ group: { newest, open, times, since, resolved } }: { group: FailureGroup }) {
  const now = resolved ? times : open;
  if (now === 1)
    return (
      <>
        once, <Ago at={newest.at} />
        {times > 1 && `, ${plural(times - 1, "time")} before`}
      </>
    );
  return (
    <>
      {plural(now, "time")} since <Time at={since} />, last <Ago at={newest.at} />
      {times > now && `, ${plural(times - now, "time")} before`}
    </>
  );
}
