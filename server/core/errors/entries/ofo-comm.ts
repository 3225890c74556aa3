import { formatInstant } from "../../text/instant";
import { action } from "../actions";
import { article } from "../articles/ofo-comm";
import { defineEntry, verdict } from "../entry";
import type { EvidenceOf } from "../evidence";

type Unreachable = EvidenceOf<"OFO-COMM">;

const subject = (e: Unreachable) =>
  e.subject === "worker" ? "The worker" : `The engine${e.volume ? ` of ${e.volume}` : ""}`;

const running = (e: Unreachable) =>
  e.processState !== null && e.processState !== "absent" && e.processState !== "zombie";

function knownVersions(e: Unreachable): string[] {
  const { console: c, worker, engine } = e.versions;
  return [c, worker, engine].filter((v) => v !== null);
}

export const unreachable = defineEntry({
  code: "OFO-COMM",
  text: "OFO: failed to establish communication with the Advanced Open File component. A reinstallation is probably necessary.",
  sentence: (e) =>
    `${subject(e)} does not answer. ${e.lastContactAt ? `It was last heard of at ${formatInstant(e.lastContactAt)}.` : "It was never heard of."}`,
  causes: [
    {
      id: "notRunning",
      title: "Its process is not running",
      check: (e) => verdict(e.processState === null ? null : !running(e)),
      detail: (e) => {
        if (e.processState === null) return "the process was not looked for";
        const exit = e.exitStatus === null ? "" : `, exit status ${e.exitStatus}`;
        return `process ${e.processState}${exit}`;
      },
    },
    {
      id: "hung",
      title: "It runs, but does not answer",
      check: (e) => verdict(e.processState === null ? null : running(e)),
      detail: (e) => {
        if (e.processState === null) return "the process was not looked for";
        const last = e.logLines.at(-1);
        return running(e) && last ? `process ${e.processState}; its last line: ${last}` : `process ${e.processState}`;
      },
    },
    {
      id: "socketGone",
      title: "Its socket is missing or not accessible",
      check: (e) => verdict(e.socket === null ? null : !e.socket.exists),
      detail: (e) =>
        e.socket === null
          ? "the socket was not looked for"
          : `${e.socket.path}: ${e.socket.exists ? `mode ${e.socket.mode ?? "unknown"}` : "missing"}`,
    },
    {
      id: "versions",
      title: "The parts are of different versions",
      check: (e) => verdict(knownVersions(e).length < 2 ? null : new Set(knownVersions(e)).size > 1),
      detail: (e) => {
        const { console: c, worker, engine } = e.versions;
        return `console ${c ?? "unknown"}, worker ${worker ?? "unknown"}, engine ${engine ?? "unknown"}`;
      },
    },
  ],
  actions: [
    action("restartEngine"),
    action("restartWorker"),
    action("repair"),
    action("rerun", "Runs the job again, once the part that was not reachable answers."),
    action("selfTest"),
  ],
  // No engine is at fault when the worker does not answer, and nobody is there to restart or repair one.
  helps: (e, id) => {
    if (id === "restartWorker") return e.subject === "worker";
    return e.subject === "engine" || (id !== "restartEngine" && id !== "repair");
  },
  article,
});
