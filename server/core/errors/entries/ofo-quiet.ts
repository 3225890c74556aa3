import { formatDuration } from "../../text/duration";
import { action } from "../actions";
import { article } from "../articles/ofo-quiet";
import { defineEntry, verdict } from "../entry";
import type { EvidenceOf } from "../evidence";

const waitedForSeveral = (e: EvidenceOf<"OFO-QUIET">) => e.mode !== "oneAtATime" && e.volumes !== 1;

export const noQuiet = defineEntry({
  code: "OFO-QUIET",
  text: "OFO: Unable to get minimum quiet time window for physical volume.",
  sentence: (e) => {
    const gap = e.longestGapMs === null ? "" : `; the longest was ${formatDuration(e.longestGapMs)}`;
    return `There was no gap of ${formatDuration(e.minimumMs)} between writes within ${formatDuration(e.timeoutMs)}${gap}. No snapshot was taken.`;
  },
  causes: [
    {
      id: "minimumTooLong",
      title: "The minimum quiet time is longer than this volume ever rests",
      check: (e) => verdict(e.longestGapMs === null ? null : e.longestGapMs > 0 && e.longestGapMs < e.minimumMs),
      detail: (e) =>
        e.longestGapMs === null
          ? "no gap was measured"
          : `longest gap ${formatDuration(e.longestGapMs)}; ${formatDuration(e.minimumMs)} wanted`,
    },
    {
      id: "steadyWriter",
      title: "A program writes all the time",
      check: (e) => verdict(e.writesPerSecond === null ? null : e.writesPerSecond >= 1),
      detail: (e) => {
        const rate = e.writesPerSecond === null ? "rate not known" : `${e.writesPerSecond.toFixed(1)} writes a second`;
        const seen = e.writers.filter(({ writes }) => writes !== null);
        const names = [...new Set((seen.length > 0 ? seen : e.writers).map((w) => w.command))].slice(0, 4).join(", ");
        return names ? `${rate}, by ${names}` : rate;
      },
    },
    {
      id: "allTogether",
      title: "The volumes rest at different times",
      check: (e) => (waitedForSeveral(e) ? "unknown" : "no"),
      detail: (e) => {
        if (e.mode === "oneAtATime") return "volumes were processed one at a time";
        if (e.volumes === 1) return "the job has one volume";
        return "all at once needs one gap in which no volume of the job is written to";
      },
    },
    {
      id: "timeoutTooShort",
      title: "The time-out is too short to meet a gap",
      check: (e) => verdict(e.timeoutMs < 10 * e.minimumMs),
      detail: (e) => `waited ${formatDuration(e.timeoutMs)} for a gap of ${formatDuration(e.minimumMs)}`,
    },
  ],
  actions: [
    action("useLongestGap"),
    action("ignorePaths"),
    action("quietHour"),
    action("freezeAnyway"),
    action("oneAtATime"),
    action("rerun"),
  ],
  helps: (e, id) => {
    if (id === "ignorePaths") return e.writers.some(({ paths }) => paths.length > 0);
    return id !== "oneAtATime" || waitedForSeveral(e);
  },
  article,
});
