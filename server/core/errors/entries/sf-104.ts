import { hookFailure } from "../../hooks/hook-failure";
import { formatDuration } from "../../text/duration";
import { action } from "../actions";
import { article } from "../articles/sf-104";
import { defineEntry, verdict } from "../entry";
import type { EvidenceOf } from "../evidence";

type Evidence = EvidenceOf<"SF-104">;

const NOT_FOUND = 127;
const MAY_NOT_RUN = 126;

const refused =
  /access denied|permission denied|authentication failed|not authorized|peer authentication|role .* does not exist/i;
const notReached =
  /connection refused|could not connect|can't connect|connection to server .{0,200}failed: (?!FATAL)|no such file or directory.*\.sock|no route to host/i;
const asks = /(password|passphrase|username)[^\n]{0,40}:\s*$|\[y\/n\]|\(yes\/no\)/i;

const mentions = ({ lines }: Evidence, pattern: RegExp) => lines.find((line) => pattern.test(line)) ?? null;
/** Evidence of workers that did not tell the cause had an exit code, or a time-out. */
const causeOf = ({ cause, exitCode }: Evidence) => cause ?? (exitCode === null ? null : "exit");
const timedOut = (e: Evidence) => causeOf(e) === "timeout" || causeOf(e) === "notReady";
const missing = (e: Evidence) => e.exitCode === NOT_FOUND || e.exitCode === MAY_NOT_RUN || e.cause === "notStarted";
const known = (e: Evidence) => causeOf(e) !== null;
const lastLine = (e: Evidence) => e.lines.findLast((line) => line.trim() !== "") ?? "it printed nothing";

function byLine(id: string, title: string, pattern: RegExp) {
  return {
    id,
    title,
    check: (e: Evidence) => verdict(known(e) ? mentions(e, pattern) !== null && !missing(e) : null),
    detail: (e: Evidence) => mentions(e, pattern) ?? "nothing of the kind in its output",
  };
}

export const hookFailed = defineEntry({
  code: "SF-104",
  text: "A hook failed or did not answer.",
  sentence: (e) => {
    const said = hookFailure(e);
    return `${said.slice(0, 1).toUpperCase()}${said.slice(1)}${/[.!?]$/.test(said) ? "" : "."}`;
  },
  causes: [
    {
      id: "notFound",
      title: "The program was not found, or may not run",
      check: (e) => verdict(known(e) ? missing(e) : null),
      detail: (e) => (missing(e) ? lastLine(e) : "it ran"),
    },
    byLine("refused", "The application did not let it in", refused),
    byLine("notReached", "The application does not run, or not where the hook looks", notReached),
    {
      id: "asked",
      title: "It waited for an answer that nobody could give",
      check: (e) => verdict(known(e) ? timedOut(e) && asks.test(lastLine(e)) : null),
      detail: (e) => (timedOut(e) ? `its last line: ${lastLine(e)}` : "it did not wait"),
    },
    {
      id: "noAnswer",
      title: "It did not end, or did not say READY, in its time",
      check: (e) => verdict(known(e) ? timedOut(e) : null),
      detail: (e) => {
        const took = e.tookMs === null ? "time not known" : `took ${formatDuration(e.tookMs)}`;
        return e.timeoutMs === null ? took : `${took}, may take ${formatDuration(e.timeoutMs)}`;
      },
    },
    {
      id: "unready",
      title: "A program that should hold its application ended by itself",
      check: (e) => verdict(known(e) ? e.cause === "unready" || e.cause === "early" : null),
      detail: (e) =>
        e.cause === "unready"
          ? "it ended without a line READY on its standard output"
          : e.cause === "early"
            ? "it said READY, and was gone when the instant was over"
            : "it did not",
    },
    {
      id: "ownError",
      title: "It met an error of its own",
      check: (e) => {
        const explained = missing(e) || [refused, notReached].some((pattern) => mentions(e, pattern) !== null);
        const ended = e.cause === "late" || causeOf(e) === "exit" || causeOf(e) === "signal";
        return verdict(known(e) ? ended && !explained : null);
      },
      detail: (e) => lastLine(e),
    },
  ],
  actions: [
    action("testHook"),
    action("rerun"),
    action("hookWarns"),
    action("showSelection", "Opens the job, where its hooks can be changed.", "Change the hooks"),
  ],
  helps: (e, id) => (id === "testHook" ? e.hook !== null : id !== "hookWarns" || (e.hook !== null && e.at !== null)),
  article,
});
