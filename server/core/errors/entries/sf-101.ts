import { formatDuration } from "../../text/duration";
import { action } from "../actions";
import { article } from "../articles/sf-101";
import { defineEntry, verdict } from "../entry";

export const freezeDeadline = defineEntry({
  code: "SF-101",
  text: "The freeze outlived its deadline; no snapshot was taken.",
  sentence: (e) =>
    `The file systems could not be frozen and snapshotted within ${formatDuration(e.deadlineMs)}, so writing was let go on and no snapshot was taken${e.blocked ? `; ${e.blocked} blocked` : ""}.`,
  causes: [
    {
      id: "slowMount",
      title: "One file system was slow to freeze",
      check: (e) => verdict(e.blocked === null && e.mounts.length === 0 ? null : e.blocked !== null),
      detail: (e) => {
        const times = e.mounts.map(
          (m) => `${m.name} ${m.freezeMs === null ? "not frozen" : formatDuration(m.freezeMs)}`,
        );
        return times.join("; ") || e.blocked || "no times were kept";
      },
    },
    {
      id: "overloaded",
      title: "The whole host was too slow",
      check: (e) =>
        verdict(e.mounts.length < 2 ? null : e.mounts.filter((m) => (m.freezeMs ?? 0) > e.deadlineMs / 4).length > 1),
      detail: (e) => `${e.mounts.length} file systems, deadline ${formatDuration(e.deadlineMs)}`,
    },
  ],
  actions: [
    action("rerun"),
    action(
      "oneAtATime",
      "Freezes one file system at a time, so none waits for another. The volumes' instants will differ. Changes this job only.",
    ),
  ],
  article,
});
