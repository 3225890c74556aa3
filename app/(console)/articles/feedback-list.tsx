"use client";
import { useQuery } from "@tanstack/react-query";
import { ThumbsDown, ThumbsUp } from "lucide-react";
import Link from "next/link";
import { Card, CardTitle } from "@/app/components/card";
import { CodeTag } from "@/app/components/state-badge";
import { Time } from "@/app/components/time";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";

/** What readers said of the articles. */
export function FeedbackList() {
  const trpc = useTRPC();
  const asked = useQuery(trpc.articles.feedbackList.queryOptions());
  const feedback = asked.data;
  if (!feedback) return <Unanswered query={asked} of="readers’ feedback" className="mt-4" />;
  if (feedback.length === 0) return null;
  return (
    <Card className="mt-4">
      <CardTitle>What readers said</CardTitle>
      <ul>
        {feedback.map((one) => (
          <li key={one.id} className="flex items-start gap-3 border-line border-t py-2.5 first:border-0 first:pt-0">
            {one.helpful ? (
              <ThumbsUp className="mt-0.5 size-4 shrink-0 text-accent" aria-label="It answered" />
            ) : (
              <ThumbsDown className="mt-0.5 size-4 shrink-0 text-loss-ink" aria-label="It did not answer" />
            )}
            <div className="min-w-0">
              {one.text && <p className="wrap-anywhere">{one.text}</p>}
              <p className="flex flex-wrap items-center gap-2 text-mute text-xs">
                <Link href={`/articles/${one.code}`}>
                  <CodeTag code={one.code} />
                </Link>
                {one.by}, <Time at={one.at} />
              </p>
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
