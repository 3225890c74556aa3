import { inWords } from "../../runs/phase-words";
import { action } from "../actions";
import { article } from "../articles/sf-106";
import { defineEntry, verdict } from "../entry";

export const interrupted = defineEntry({
  code: "SF-106",
  text: "The run was interrupted.",
  sentence: ({ lastPhase, cleaned, error }) => {
    const during = `during the run${lastPhase ? ` while ${inWords(lastPhase)}` : ""}`;
    const what =
      error === null ? "The worker or its host restarted" : "The worker met an error that it had not foreseen";
    const left = cleaned.length === 0 ? "Nothing was left to clean up." : `Cleaned up: ${cleaned.join(", ")}.`;
    return `${what} ${during}${error === null ? "." : `: ${error}.`} ${left}`;
  },
  causes: [
    {
      id: "unforeseen",
      title: "The worker met an error that it had not foreseen",
      check: ({ error }) => verdict(error !== null),
      detail: ({ error }) => error ?? "it was restarted",
    },
    {
      id: "restart",
      title: "The worker or the host was restarted",
      check: ({ error }) => verdict(error === null),
      detail: ({ lastPhase }) => (lastPhase ? `last phase: ${inWords(lastPhase)}` : "the last phase is not known"),
    },
  ],
  actions: [action("rerun"), action("repair")],
  article,
});
