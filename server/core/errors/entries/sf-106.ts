import { inWords } from "../../runs/phase-words";
import { action } from "../actions";
import { article } from "../articles/sf-106";
import { defineEntry } from "../entry";

export const interrupted = defineEntry({
  code: "SF-106",
  text: "The run was interrupted.",
  sentence: (e) =>
    `The worker or its host restarted during the run${e.lastPhase ? ` while ${inWords(e.lastPhase)}` : ""}. ${e.cleaned.length === 0 ? "Nothing was left to clean up." : `Cleaned up: ${e.cleaned.join(", ")}.`}`,
  causes: [
    {
      id: "restart",
      title: "The worker or the host was restarted",
      check: () => "true",
      detail: (e) => (e.lastPhase ? `last phase: ${inWords(e.lastPhase)}` : "the last phase is not known"),
    },
  ],
  actions: [action("rerun"), action("repair")],
  article,
});
