import { action } from "../actions";
import { article } from "../articles/sf-103";
import { defineEntry, verdict } from "../entry";

const mentions = (lines: string[], pattern: RegExp) => lines.find((line) => pattern.test(line)) ?? null;

const password = /wrong password|no key found/i;
const locked = /already locked|unable to create lock/i;
const noRepository = /unable to open (config|repository)|Is there a repository|does not exist/i;
const full = /no space left|disk quota/i;
const notInstalled = /is not installed/i;

interface Ending {
  exitCode: number | null;
  signal: string | null;
  lines: string[];
}

const lastLine = (e: Ending) => e.lines.findLast((line) => line.trim() !== "")?.trim();
const wasStarted = (e: Ending) => e.exitCode !== null || e.signal !== null;
const mayNotRun = (e: Ending) =>
  e.exitCode === 127 || e.exitCode === 126 || (!wasStarted(e) && mentions(e.lines, notInstalled) !== null);
const explained = (e: Ending) =>
  mayNotRun(e) || [password, noRepository, locked, full].some((known) => mentions(e.lines, known) !== null);

function ending(e: Ending): string {
  if (e.exitCode !== null) return `ended with exit code ${e.exitCode}`;
  return e.signal === null ? "was not started" : `was ended by ${e.signal}`;
}

function byLine(id: string, title: string, pattern: RegExp) {
  return {
    id,
    title,
    check: (e: { lines: string[] }) => verdict(e.lines.length === 0 ? null : mentions(e.lines, pattern) !== null),
    detail: (e: { lines: string[] }) => mentions(e.lines, pattern) ?? "nothing of the kind in its output",
  };
}

export const backupFailed = defineEntry({
  code: "SF-103",
  text: "The backup program failed.",
  sentence: (e) => {
    const said = lastLine(e);
    return `The backup program ${ending(e)}${said ? `: ${said.slice(0, 300)}` : "."}`;
  },
  causes: [
    byLine("password", "The repository's password is wrong", password),
    byLine("repository", "There is no repository at this place", noRepository),
    byLine("locked", "Another program has locked the repository", locked),
    byLine("destinationFull", "The destination is full", full),
    {
      id: "notFound",
      title: "The command was not found or may not run",
      check: (e) => verdict(mayNotRun(e)),
      detail: ending,
    },
    {
      id: "notStarted",
      title: "The job and this host do not allow it to start",
      check: (e) => verdict(!wasStarted(e) && !explained(e)),
      detail: (e) => (wasStarted(e) ? "it was started" : (lastLine(e) ?? "nothing says why")),
    },
    {
      id: "killed",
      title: "Somebody, or the kernel for want of memory, ended it",
      check: (e) => verdict(e.signal !== null),
      detail: ending,
    },
    {
      id: "ownError",
      title: "The program met an error of its own",
      check: (e) => verdict(e.exitCode !== null && !explained(e)),
      detail: (e) => lastLine(e) ?? "it printed nothing",
    },
  ],
  actions: [action("rerun"), action("showSelection", "Opens the job, where destination and password can be changed.")],
  article,
});
