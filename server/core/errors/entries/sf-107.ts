import { formatInstant } from "../../text/instant";
import { action } from "../actions";
import { article } from "../articles/sf-107";
import { defineEntry } from "../entry";

export const missedStart = defineEntry({
  code: "SF-107",
  text: "A scheduled run did not start in time.",
  sentence: ({ cause, holder, dueAt, firstAt, times }) => {
    const what =
      times > 1
        ? `${times} runs that were due from ${formatInstant(firstAt)} to ${formatInstant(dueAt)} did not start`
        : `The run that was due at ${formatInstant(dueAt)} did not start`;
    return cause === "consoleDown"
      ? `${what}: the console was not running.`
      : `${what} in time. ${holder ?? "Another run was in its way."}`;
  },
  causes: [
    {
      id: "consoleDown",
      title: "The console was not running",
      check: ({ cause }) => (cause === "consoleDown" ? "true" : "no"),
      detail: ({ cause }) =>
        cause === "consoleDown" ? "it found the time gone by when it started" : "the console was up and tried",
    },
    {
      id: "busy",
      title: "Another run took longer than the grace",
      check: ({ cause }) => (cause === "busy" ? "true" : "no"),
      detail: ({ holder, graceMinutes }) => holder ?? `no run was in its way; the grace is ${graceMinutes} min`,
    },
  ],
  actions: [action("rerun")],
  article,
});
