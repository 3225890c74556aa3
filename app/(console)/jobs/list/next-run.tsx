import { Hourglass } from "lucide-react";
import { Time } from "@/app/components/time";
import type { JobView } from "@/server/core/contracts/views";
import { scheduleWords } from "@/server/core/planning/schedule-words";

/** When a job's schedule starts it next, or what a start whose time has come waits for. */
export function NextRun({ job }: { job: JobView }) {
  const { schedule, nextRunAt, waitingFor } = job;
  if (schedule === null) return <span className="text-mute">by hand</span>;
  if (nextRunAt === null) return <span className="text-mute">{job.paused ? "when continued" : "never"}</span>;
  return (
    <span className="min-w-0">
      <Time at={nextRunAt} className="whitespace-nowrap" />
      <span className="block text-mute text-xs">
        {waitingFor === null ? (
          scheduleWords(schedule)
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
