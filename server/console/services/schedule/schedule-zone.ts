import type { Schedule } from "@/server/core/contracts/schedule";
import type { HostView } from "@/server/core/contracts/views";

/** The schedule's own zone, else the host's, else (a worker that does not tell) the console's. */
export function scheduleZone(schedule: Schedule | null, host: HostView): string {
  return schedule?.zone ?? host.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}
