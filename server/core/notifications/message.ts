/** The words of a notification. */
import type { Message, Severity } from "../contracts/notifications";
import type { Evidence, Run } from "../contracts/run";
import type { ErrorCode } from "../errors/codes";
import { errorTable } from "../errors/table";
import { formatDuration } from "../text/duration";
import { formatInstant } from "../text/instant";

/** More failures of one run than these are counted only. */
const MOST_FAILURES = 5;

export type FailureFacts = { code: ErrorCode; volume: string | null; evidence: Evidence };
export type EndFacts = {
  run: Run;
  host: string;
  failures: readonly FailureFacts[];
  /** Where browsers reach the console. */
  origin: string;
  /** Now. */
  at: string;
};

/** Of a run's end. `untold`: how many of the job's failures were kept quiet before it. */
export function messageOfEnd(facts: EndFacts, severity: Severity, untold: number): Message {
  const { run, host, failures } = facts;
  const name = `“${run.job.name}”`;
  const titles: Record<Severity, string> = {
    failed: run.state === "interrupted" ? `${name} was interrupted on ${host}` : `${name} failed on ${host}`,
    warning: `${name} ended with warnings on ${host}`,
    recovered: `${name} succeeded again on ${host}`,
    succeeded: `${name} succeeded on ${host}`,
  };
  const shown = failures.slice(0, MOST_FAILURES).map(failureLine);
  const more = failures.length - shown.length;
  const title =
    run.code !== null && failures.length === 0 ? [`${shownCode(run.code)} ${errorTable[run.code].title}.`] : [];
  const quiet =
    untold > 0
      ? [
          `Before it, ${untold === 1 ? "one more end that was not good was" : `${untold} more ends that were not good were`} kept quiet.`,
        ]
      : [];
  const lines = [
    ...title,
    ...shown,
    ...(more > 0 ? [`${more} more failures are on the run’s page.`] : []),
    runLine(run),
  ];
  return message(facts, severity, titles[severity], [...lines, ...quiet], untold);
}

/** Of failures that were kept quiet, when their time is over. The facts are those of the last of them. */
export function messageOfRepetition(facts: EndFacts, severity: "failed" | "warning", untold: number): Message {
  const { run, host, failures } = facts;
  const what = severity === "failed" ? "failed" : "ended with warnings";
  const [first] = failures;
  return message(
    facts,
    severity,
    `“${run.job.name}” ${what} ${times(untold)} more on ${host}`,
    [...(first ? [failureLine(first)] : []), `The last was: ${runLine(run)}`],
    untold,
  );
}

/** What the test button sends. */
export function testMessage(channel: string, at: string, origin: string): Message {
  return {
    severity: null,
    title: "Test message from Stillframe",
    lines: [`The channel “${channel}” works if you can read this.`],
    at,
    link: `${origin}/settings/notifications`,
    job: null,
    host: null,
    run: null,
    code: null,
    untold: 0,
  };
}

function message(facts: EndFacts, severity: Severity, title: string, lines: string[], untold: number): Message {
  const { run, host, origin, at } = facts;
  const { id, number, state, startedAt, endedAt, code, job } = run;
  return {
    severity,
    title,
    lines,
    at,
    link: `${origin}/runs/${id}`,
    job,
    host,
    run: { id, number, state, startedAt, endedAt },
    code,
    untold,
  };
}

function failureLine({ code, volume, evidence }: FailureFacts): string {
  return `${volume === null ? "" : `${volume}: `}${errorTable[code].sentence(evidence)} (${shownCode(code)})`;
}

function runLine({ number, startedAt, endedAt }: Run): string {
  const ended = endedAt === null ? "" : `, ended ${formatInstant(endedAt)}`;
  const took = startedAt === null || endedAt === null ? null : Date.parse(endedAt) - Date.parse(startedAt);
  return `Run ${number}${ended}${took === null ? ", never started" : ` after ${formatDuration(took)}`}.`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function shownCode(code: ErrorCode): string {
  return /^[0-9a-f]{8}$/.test(code) ? `0x${code}` : code;
}
