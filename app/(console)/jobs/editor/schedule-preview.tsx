"use client";
import { useNow, useZone } from "@/app/components/zone";
import { type Schedule, scheduleSchema } from "@/server/core/contracts/schedule";
import { nextStarts, scheduleProblem } from "@/server/core/planning/schedule";
import { scheduleWords } from "@/server/core/planning/schedule-words";

const SHOWN = 3;
const MINUTE_MS = 60_000;

/** The schedule in words, and what it comes to: the next runs by the clock of its zone. */
export function SchedulePreview({ schedule, hostZone }: { schedule: Schedule; hostZone: string | null }) {
  const own = useZone();
  const now = useNow(MINUTE_MS);
  const parsed = scheduleSchema.safeParse(schedule);
  const zone = schedule.zone ?? hostZone ?? own;
  if (!parsed.success) return <p className="pt-1.5 text-mute">When the fields above are right, they stand here.</p>;
  if (now === null) return <p className="pt-1.5">{scheduleWords(parsed.data)}</p>;
  const problem = scheduleProblem(parsed.data, zone, new Date(now));
  if (problem !== null) return <p className="pt-1.5 text-loss-ink">None: {problem}.</p>;
  return (
    <div className="pt-1.5">
      <p className="first-letter:uppercase">{scheduleWords(parsed.data)}:</p>
      <ul className="mt-1 space-y-0.5 font-mono text-[0.8125rem] tabular-nums">
        {nextStarts(parsed.data, zone, new Date(now), SHOWN).map((at) => (
          <li key={at.getTime()}>
            <time dateTime={at.toISOString()}>{written(at, zone)}</time>
            {written(at, own) !== written(at, zone) && <span className="text-mute"> (here {written(at, own)})</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function written(at: Date, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
    timeZoneName: "short",
  }).format(at);
}
