"use client";
import { Hourglass } from "lucide-react";
import { formatTime, Time } from "@/app/components/time";
import { useZone } from "@/app/components/zone";
import type { Schedule } from "@/server/core/contracts/schedule";
import type { JobView } from "@/server/core/contracts/views";
import { scheduleWords } from "@/server/core/planning/schedule-words";

/** When a job's schedule starts it next, or what a start whose time has come waits for. */
export function NextRun({ job }: { job: JobView }) {
  const zone = useZone();
  const { schedule, nextRunAt, waitingFor } = job;
  if (schedule === null) return <span className="text-mute">by hand</span>;
  if (nextRunAt === null) return <span className="text-mute">{job.paused ? "when continued" : "never"}</span>;
  return (
    <span className="min-w-0">
      <Time at={nextRunAt} className="whitespace-nowrap" />
      <span className="block text-mute text-xs">
        {waitingFor === null ? (
          wordsWithZone(schedule, formatTime(nextRunAt, "minute", zone))
        ) : (
          <>
            <Hourglass className="mr-1 inline size-3.5 align-[-2px]" aria-hidden />
            due, waits. {waitingFor}
          </>
        )}
      </span>
    </span>
  );
}

/** Whose clock is meant is said where the viewer's shows another time: `daily at 02:00 (Asia/Tokyo)`. */
function wordsWithZone(schedule: Schedule, clock: string): string {
  const words = scheduleWords(schedule);
  const hasTimes = schedule.kind === "daily" || schedule.kind === "monthly";
  return hasTimes && !words.includes(clock) ? `${words} (${schedule.zone ?? "host’s time"})` : words;
}
