import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { Card } from "@/app/components/card";
import { PageHeader } from "@/app/components/page-header";
import { CodeTag } from "@/app/components/state-badge";
import { errorCodeSchema } from "@/server/core/contracts/error-code";
import { readingMinutes } from "@/server/core/errors/article";
import { errorTable } from "@/server/core/errors/table";
import { ArticleFeedback } from "../article-feedback";
import { ArticleBody } from "./article-body";

type Props = { params: Promise<{ code: string }> };

async function entryOf({ params }: Props) {
  const code = errorCodeSchema.safeParse(decodeURIComponent((await params).code));
  return code.success ? errorTable[code.data] : null;
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const entry = await entryOf(props);
  return { title: entry ? `${entry.code}: ${entry.article.title}` : "Article" };
}

export default async function ArticlePage(props: Props) {
  const entry = await entryOf(props);
  if (!entry) notFound();
  return (
    <article className="max-w-3xl">
      <PageHeader
        title={entry.article.title}
        trail={
          <>
            <Link href="/articles">Knowledge base</Link> / {entry.code}
          </>
        }
        subtitle={
          <span className="flex flex-wrap items-center gap-2">
            <CodeTag code={entry.code} />
            <span className="wrap-anywhere">{entry.text}</span>
            <span>· {readingMinutes(entry.article)} min</span>
          </span>
        }
      />
      <Card className="sm:p-7">
        <ArticleBody article={entry.article} />
        <h2 className="mt-7 mb-2 font-semibold text-base tracking-tight">What you can press</h2>
        <ul className="list-disc space-y-1.5 pl-5 text-[0.9375rem] leading-relaxed">
          {entry.actions.map((action) => (
            <li key={action.id}>
              <b className="font-medium">{action.label}.</b> {action.description}
            </li>
          ))}
        </ul>
        <p className="mt-3 text-mute">
          The buttons stand on the page of the failure itself, under{" "}
          <Link href="/troubleshoot" className="text-accent underline">
            Troubleshoot
          </Link>
          .
        </p>
      </Card>
      <Card className="mt-4">
        <ArticleFeedback code={entry.code} />
      </Card>
    </article>
  );
}
