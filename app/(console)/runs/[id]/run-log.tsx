"use client";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/app/components/button";
import { Card, CardTitle } from "@/app/components/card";
import { cn } from "@/app/components/class-names";
import { plural } from "@/app/components/format";
import { Zoned } from "@/app/components/sentence";
import { CodeTag } from "@/app/components/state-badge";
import { formatTime } from "@/app/components/time";
import { useZone } from "@/app/components/zone";
import type { PositionedEvent } from "@/server/core/contracts/views";
import { logLines } from "./run-log-lines";

const SHOWN = 200;
const tones = {
  plain: "text-ink",
  frozen: "text-frozen-ink",
  warn: "text-write-ink",
  loss: "text-loss-ink",
  faint: "text-faint",
};

/** The run's log, newest first. Codes lead to their articles. */
export function RunLog({ events }: { events: readonly PositionedEvent[] }) {
  const zone = useZone();
  const [all, setAll] = useState(false);
  const lines = logLines(events, zone).reverse();
  const shown = all ? lines : lines.slice(0, SHOWN);
  return (
    <Card>
      <CardTitle aside={<span className="text-mute text-xs">newest first</span>}>Log</CardTitle>
      {lines.length === 0 && <p className="text-mute">Nothing yet: the host has not begun.</p>}
      <div
        role="log"
        aria-label="Log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-96 overflow-y-auto rounded font-mono text-[0.78rem] leading-[1.75]"
      >
        <ol>
          {shown.map((line) => (
            <li key={line.position} className="flex gap-2.5">
              <time dateTime={line.at} title={`host’s clock: ${line.at}`} className="shrink-0 text-mute">
                {formatTime(line.at, "exact", zone)}
              </time>
              <span className="wrap-anywhere min-w-0">
                {line.lead && <span className={cn("font-medium", tones[line.tone])}>{line.lead} </span>}
                <span className={line.tone === "faint" ? "text-faint" : "text-ink"}>
                  <Zoned text={line.text} />
                </span>
                {line.code && (
                  <>
                    {" "}
                    <Link href={`/articles/${line.code}`} className="hover:underline">
                      <CodeTag code={line.code} className="text-loss-ink" />
                    </Link>
                  </>
                )}
              </span>
            </li>
          ))}
        </ol>
      </div>
      {shown.length < lines.length && (
        <Button size="small" className="mt-3" onClick={() => setAll(true)}>
          Show {plural(lines.length - shown.length, "earlier line")}
        </Button>
      )}
    </Card>
  );
}
