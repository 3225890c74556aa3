import { action } from "../actions";
import { article } from "../articles/sf-103";
import { defineEntry, verdict } from "../entry";

const mentions = (lines: string[], pattern: RegExp) => lines.find((line) => pattern.test(line)) ?? null;

const password = /wrong password|no key found/i;
const locked = /already locked|unable to create lock/i;
const noRepository = /unable to open (config|repository)|Is there a repository|does not exist/i;
const full = /no space left|disk quota/i;

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
    const said = e.lines.findLast((line) => line.trim() !== "");
    return `The backup program ended with ${e.exitCode === null ? "a signal" : `exit code ${e.exitCode}`}${said ? `: ${said.trim().slice(0, 300)}` : "."}`;
  },
  causes: [
    byLine("password", "The repository's password is wrong", password),
    byLine("repository", "There is no repository at this place", noRepository),
    byLine("locked", "Another program has locked the repository", locked),
    byLine("destinationFull", "The destination is full", full),
    {
      id: "notFound",
      title: "The command was not found or may not run",
      check: (e) => verdict(e.exitCode === null ? null : e.exitCode === 127 || e.exitCode === 126),
      detail: (e) => (e.exitCode === null ? "ended by a signal" : `exit code ${e.exitCode}`),
    },
    {
      id: "ownError",
      title: "The program met an error of its own",
      check: (e) => {
        const explained = [password, noRepository, locked, full].some((known) => mentions(e.lines, known) !== null);
        return verdict(e.exitCode === null ? null : !explained && e.exitCode !== 127 && e.exitCode !== 126);
      },
      detail: (e) => e.lines.findLast((line) => line.trim() !== "") ?? "it printed nothing",
    },
  ],
  actions: [action("rerun"), action("showSelection", "Opens the job, where destination and password can be changed.")],
  article,
});
