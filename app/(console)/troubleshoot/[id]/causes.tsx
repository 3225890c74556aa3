import { Circle, CircleAlert, CircleHelp } from "lucide-react";
import { Card, CardTitle } from "@/app/components/card";
import type { Evidence } from "@/server/core/contracts/run";
import type { ErrorEntry } from "@/server/core/errors/entry";

const verdicts = {
  true: { icon: CircleAlert, tone: "text-loss-ink", word: "true" },
  no: { icon: Circle, tone: "text-accent", word: "no" },
  unknown: { icon: CircleHelp, tone: "text-mute", word: "not known" },
} as const;

/** The causes in order of likelihood, each with the check that tells it apart already made. */
export function Causes({ entry, evidence }: { entry: ErrorEntry; evidence: Evidence }) {
  return (
    <Card>
      <CardTitle>Likely causes, checked</CardTitle>
      <ol>
        {entry.causes.map((cause) => {
          const { icon: Icon, tone, word } = verdicts[cause.check(evidence)];
          return (
            <li
              key={cause.id}
              className="grid grid-cols-[1.25rem_1fr_auto] gap-x-3 gap-y-0.5 border-line border-t py-3 first:border-0 first:pt-0"
            >
              <Icon className={`mt-0.5 size-4 ${tone}`} aria-hidden />
              <span className="font-medium">{cause.title}</span>
              <span className="h-fit rounded-md border border-line px-1.5 py-px font-mono text-mute text-xs">
                {word}
              </span>
              <span className="wrap-anywhere col-start-2 text-[0.8125rem] text-mute">{cause.detail(evidence)}</span>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
