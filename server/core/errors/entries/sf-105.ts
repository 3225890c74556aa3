import { action } from "../actions";
import { article } from "../articles/sf-105";
import { defineEntry, verdict } from "../entry";

export const noProvider = defineEntry({
  code: "SF-105",
  text: "This volume cannot be snapshotted.",
  sentence: (e) =>
    `No snapshot of ${e.volume ?? "the volume"} can be made, and the job does not allow reading it without one.`,
  causes: [
    {
      id: "notAttached",
      title: "The volume is not attached to the engine",
      check: (e) => verdict(e.providers.length === 0 ? null : e.providers.some((p) => p.name === "engine")),
      detail: (e) =>
        e.providers.map((p) => `${p.name}: ${p.reason}`).join("; ") || "no provider said why it does not fit",
    },
  ],
  actions: [
    action("showSelection", "Opens the job, where reading without a snapshot can be allowed."),
    action("repair"),
    action("rerun", "Runs the job again, once the volume is attached."),
  ],
  article,
});
