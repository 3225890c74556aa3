import { formatDuration } from "../../text/duration";
import { action } from "../actions";
import { article } from "../articles/sf-104";
import { defineEntry, verdict } from "../entry";

export const hookFailed = defineEntry({
  code: "SF-104",
  text: "A hook failed or did not answer.",
  sentence: (e) =>
    `The hook${e.hook ? ` "${e.hook}"` : ""} ${e.exitCode === null ? "did not answer in time" : `ended with exit code ${e.exitCode}`}${e.tookMs === null ? "" : ` after ${formatDuration(e.tookMs)}`}.`,
  causes: [
    {
      id: "failed",
      title: "The hook's command failed",
      check: (e) => verdict(e.exitCode !== null),
      detail: (e) => e.lines.at(-1) ?? "it printed nothing",
    },
    {
      id: "noAnswer",
      title: "The hook did not end in its time",
      check: (e) => verdict(e.exitCode === null),
      detail: (e) => (e.tookMs === null ? "time not known" : formatDuration(e.tookMs)),
    },
  ],
  actions: [action("showSelection", "Opens the job, where its hooks can be changed."), action("rerun")],
  article,
});
