/** Events as log lines. One event, one line; what a line says is decided here only. */

import { plural } from "@/app/components/format";
import { formatTime } from "@/app/components/time";
import type { RunEvent } from "@/server/core/contracts/run";
import type { PositionedEvent } from "@/server/core/contracts/views";
import type { ErrorCode } from "@/server/core/errors/codes";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";

export type LogLine = {
  position: number;
  at: string;
  tone: "plain" | "frozen" | "warn" | "loss" | "faint";
  /** The word that carries the tone. */
  lead: string | null;
  text: string;
  code: ErrorCode | null;
};

type Words = Omit<LogLine, "position" | "at">;

const plain = (text: string): Words => ({ tone: "plain", lead: null, text, code: null });

export function logLines(events: readonly PositionedEvent[], zone: string): LogLine[] {
  return events.flatMap(({ position, event }) => {
    const words = wordsOf(event, zone);
    return words ? [{ position, at: event.at, ...words }] : [];
  });
}

function wordsOf(event: RunEvent, zone: string): Words | null {
  switch (event.type) {
    case "started":
      return plain(
        event.mode === "allAtOnce"
          ? `started, ${plural(event.groups.flat().length, "volume")} at one instant`
          : `started, ${plural(event.groups.length, "volume")} one at a time`,
      );
    case "cacheReserved":
      return plain(
        `cache of ${event.volume} reserved: ${formatBytes(event.reservedBytes)} in ${event.location}, may grow to ${formatBytes(event.maxBytes)}`,
      );
    case "quietGap":
      return { ...plain(formatDuration(event.longestMs)), tone: "warn", lead: "longest gap so far" };
    case "quietEnded":
      return event.timedOut
        ? {
            ...plain(`in ${formatDuration(event.waitedMs)}; the snapshot is taken all the same`),
            tone: "warn",
            lead: "no quiet window",
          }
        : plain(
            event.from
              ? `quiet window of ${formatDuration(Date.parse(event.at) - Date.parse(event.from))} found after ${formatDuration(event.waitedMs)}`
              : "no quiet window was asked for",
          );
    case "frozen":
      return {
        ...plain(
          `${event.volumes.length === 1 ? event.volumes[0]?.name : plural(event.volumes.length, "volume")} at ${formatTime(event.volumes[0]?.takenAt ?? event.at, "exact", zone)}, held ${formatDuration(event.frozenMs)}, spread ${formatDuration(event.spreadMs)}`,
        ),
        tone: "frozen",
        lead: "frozen",
      };
    case "snapshotReleased":
      return event.cause === "done" || event.cause === "cancelled"
        ? plain(`snapshot of ${event.volume} released`)
        : {
            ...plain(
              `snapshot of ${event.volume}: ${event.cause === "overflow" ? "its cache ran full" : "its cache is damaged"}`,
            ),
            tone: "loss",
            lead: "lost",
          };
    case "volumeEnded":
      return {
        ...plain(
          `${event.result.name} ${event.result.state}, ${formatBytes(event.result.bytesRead)} read, ${formatBytes(event.result.cacheUsedBytes)} of cache used`,
        ),
        code: event.result.code,
      };
    case "log":
      return {
        ...plain(event.text),
        code: event.code,
        tone: ({ debug: "faint", info: "plain", warn: "warn", error: "loss" } as const)[event.level],
        lead: event.level === "warn" ? "warning" : event.level === "error" ? "error" : null,
      };
    case "failure":
      return { ...plain(event.message), tone: "loss", lead: "failed", code: event.code };
    case "ended":
      return {
        ...plain(event.outcome),
        lead: "ended",
        tone: event.outcome === "succeeded" ? "plain" : "warn",
        code: null,
      };
    case "phase":
    case "progress":
      return null;
  }
}
