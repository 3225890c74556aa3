import { action } from "../actions";
import { article } from "../articles/sf-102";
import { defineEntry, verdict } from "../entry";
import { errnoText } from "../errno-text";

export const damagedCache = defineEntry({
  code: "SF-102",
  text: "The snapshot was released because its cache could not be read back.",
  sentence: (e) =>
    `The snapshot${e.volume ? ` of ${e.volume}` : ""} was released because its cache${e.location ? ` on ${e.location}` : ""} could not be read back. The live volume was not affected.`,
  causes: [
    {
      id: "ioError",
      title: "The disk under the cache fails",
      check: (e) => verdict(e.errno !== null || e.kernelLines.length > 0),
      detail: (e) => e.kernelLines.at(-1) ?? (e.errno === null ? "no error from the disk" : errnoText(e.errno)),
    },
    {
      id: "checksum",
      title: "The content was changed behind the engine's back",
      check: (e) => verdict(e.errno === null && e.slot !== null),
      detail: (e) => (e.slot === null ? "no slot was named" : `slot ${e.slot} does not match its checksum`),
    },
  ],
  actions: [
    action("placeCache", "Chooses another of the allowed locations for this job's caches, and reruns it."),
    action("allowLocation", "Opens the list of places where caches may be kept, to choose one on another disk."),
    action("rerun"),
    action("selfTest"),
  ],
  article,
});
