import type { Metadata } from "next";
import Link from "next/link";
import { Card } from "@/app/components/card";
import { PageHeader } from "@/app/components/page-header";
import { CodeTag } from "@/app/components/state-badge";
import { Prefetched } from "@/app/trpc/prefetched";
import { readingMinutes } from "@/server/core/errors/article";
import { errorCodes } from "@/server/core/errors/codes";
import { errorTable } from "@/server/core/errors/table";
import { May } from "../access/may";
import { FeedbackList } from "./feedback-list";

export const metadata: Metadata = { title: "Knowledge base" };

export default function ArticlesPage() {
  return (
    <>
      <PageHeader
        title="Knowledge base"
        subtitle="What each code means, how its causes are told apart, and what to do."
      />
      <ul className="grid gap-4 md:grid-cols-2 2xl:grid-cols-3">
        {errorCodes.map((code) => {
          const { article, text } = errorTable[code];
          return (
            <li key={code} className="relative">
              <Card className="h-full hover:border-edge">
                <div className="mb-1.5 flex items-center justify-between gap-3">
                  <CodeTag code={code} />
                  <span className="text-mute text-xs">{readingMinutes(article)} min</span>
                </div>
                <h2 className="font-semibold tracking-tight">
                  <Link href={`/articles/${code}`} className="after:absolute after:inset-0 after:rounded-xl">
                    {article.title}
                  </Link>
                </h2>
                <p className="mt-1 text-mute">{article.summary}</p>
                <p className="wrap-anywhere mt-2 font-mono text-faint text-xs">{text}</p>
              </Card>
            </li>
          );
        })}
      </ul>
      <May permission="readFeedback">
        <Prefetched fetch={(trpc, client) => [client.prefetchQuery(trpc.articles.feedbackList.queryOptions())]}>
          <FeedbackList />
        </Prefetched>
      </May>
    </>
  );
}
