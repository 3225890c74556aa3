"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { Note } from "@/app/components/note";
import { PageHeader } from "@/app/components/page-header";
import { Sentence, Zoned } from "@/app/components/sentence";
import { CodeTag, shownCode } from "@/app/components/state-badge";
import { Time } from "@/app/components/time";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { readingMinutes } from "@/server/core/errors/article";
import { errorTable } from "@/server/core/errors/table";
import { May } from "../../access/may";
import { ArticleFeedback } from "../../articles/article-feedback";
import { OnHost } from "../../hosts/on-host";
import { RunLog } from "../../runs/[id]/run-log";
import { Acknowledgement } from "../acknowledgement";
import { DownloadDiagnostics } from "../download-diagnostics";
import { Frequency } from "../failure-group";
import { Causes } from "./causes";
import { EvidenceCard } from "./evidence/evidence-card";
import { FillCurve } from "./evidence/fill-curve";
import { Fixes } from "./fixes";
import { QuietHoursCard } from "./quiet-hours-card";

export function FailurePageView({ id }: { id: string }) {
  const trpc = useTRPC();
  const failure = useQuery(trpc.failures.get.queryOptions({ id }));
  const { data } = failure;
  if (!data)
    return (
      <>
        <PageHeader title="Failure" trail={<Link href="/troubleshoot">Troubleshoot</Link>} />
        <Unanswered query={failure} of="failure" />
      </>
    );
  const entry = errorTable[data.code];
  return (
    <>
      <PageHeader
        title={<Zoned text={headline(entry.sentence(data.evidence))} />}
        trail={
          <>
            <Link href="/troubleshoot">Troubleshoot</Link> / {shownCode(data.code)} <OnHost id={data.hostId} />
          </>
        }
        subtitle={
          <span className="flex flex-wrap items-center gap-2">
            <CodeTag code={data.code} />
            <span className="wrap-anywhere">{entry.text}</span>
          </span>
        }
      />
      {data.resolved && (
        <Note tone="good" title="Resolved since" className="mb-4">
          The same job succeeded later.
        </Note>
      )}
      {/* On a narrow screen in the order of the text: what to do comes before the log, which can be long. */}
      <div className="grid gap-4 xl:grid-cols-[1fr_1.08fr] xl:grid-rows-[auto_1fr]">
        <div className="min-w-0 space-y-4">
          <Card>
            <CardTitle>What happened</CardTitle>
            <p>
              <Link href={`/runs/${data.runId}`} className="text-accent underline">
                The run
              </Link>{" "}
              of <b className="font-medium">{data.job.name}</b>
              {data.volume && (
                <>
                  , volume <b className="wrap-anywhere font-medium">{data.volume}</b>
                </>
              )}
              , <Time at={data.at} style="full" />. <Sentence text={data.message} />
            </p>
            <p className="mt-2 text-mute">
              Failures of this kind: <Frequency group={data.group} />.
              {data.group.newest.id !== data.id && (
                <>
                  {" "}
                  <Link href={`/troubleshoot/${data.group.newest.id}`} className="text-accent underline">
                    The latest
                  </Link>
                </>
              )}
            </p>
            {!data.resolved && (
              <div className="mt-2">
                <Acknowledgement group={data.group} />
              </div>
            )}
            <FillCurve failure={data} />
          </Card>
          <Causes entry={entry} evidence={data.evidence} />
        </div>
        <div className="min-w-0 space-y-4 xl:col-start-2 xl:row-span-2">
          <Fixes failure={data} entry={entry} />
          {entry.actions.some(({ id }) => id === "quietHour") && <QuietHoursCard failure={data} />}
          <EvidenceCard failure={data} />
          <May permission="troubleshoot">
            <Card>
              <CardTitle>Ask somebody else</CardTitle>
              <p className="mb-3 text-mute">
                A bundle of the evidence, the run’s log, the host’s facts, logs and kernel lines, the settings and the
                doctor’s output. Passwords, keys and the commands of jobs are taken out.
              </p>
              <DownloadDiagnostics of={{ failureId: data.id }} name={`${data.code} of ${data.job.name}`} />
            </Card>
          </May>
          <Card>
            <CardTitle>Article</CardTitle>
            <p className="text-mute">
              {entry.article.summary} {readingMinutes(entry.article)} min.{" "}
              <Link href={`/articles/${data.code}`} className="text-accent underline">
                Read
              </Link>
            </p>
            <ArticleFeedback code={data.code} />
          </Card>
        </div>
        {data.events.length > 0 && (
          <div className="min-w-0 xl:col-start-1">
            <RunLog events={data.events} />
          </div>
        )}
      </div>
    </>
  );
}

/** The first sentence alone, without its full stop: the rest stands below. */
function headline(sentence: string): string {
  return (sentence.match(/^.*?[.!?](?=\s[A-Z]|$)/)?.[0] ?? sentence).replace(/\.$/, "");
}
