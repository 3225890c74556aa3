import { action } from "../actions";
import { article } from "../articles/a00084af";
import { defineEntry, verdict } from "../entry";
import { errnoText } from "../errno-text";

export const missingPath = defineEntry({
  code: "a00084af",
  text: "Directory or File was not found, or could not be accessed.",
  sentence: (e) => {
    if (e.snapshotReleased) return `${e.path} could not be read because its snapshot had been released meanwhile.`;
    if (e.errno === 2 && e.existsLive) return `${e.path} exists now, but not at the instant of the snapshot.`;
    if (e.errno === 2 || e.errno === null) return `${e.path} is selected, but it is not there.`;
    return `${e.path} could not be read: ${errnoText(e.errno)}.`;
  },
  causes: [
    {
      id: "removed",
      title: "The path was renamed, moved or deleted",
      check: (e) => verdict(e.existsLive === null ? null : !e.existsLive && !e.snapshotReleased),
      detail: (e) =>
        e.existsLive === null ? "not looked for" : e.existsLive ? `${e.path} is there now` : `${e.path} is not there`,
    },
    {
      id: "younger",
      title: "The path is younger than the snapshot",
      check: (e) => verdict(e.existsLive === null ? null : e.existsLive && e.errno === 2 && !e.snapshotReleased),
      detail: (e) =>
        e.existsLive && e.errno === 2 ? "on the live volume, not in the frozen image" : "not what was seen",
    },
    {
      id: "released",
      title: "The snapshot was released during the run",
      check: (e) => verdict(e.snapshotReleased),
      detail: (e) =>
        e.snapshotReleased ? "see the cache's failure in the same run" : "the snapshot stayed open to the end",
    },
    {
      id: "denied",
      title: "Reading is not allowed",
      check: (e) => verdict(e.errno === 1 || e.errno === 13),
      detail: (e) => (e.errno === null ? "no error number was kept" : errnoText(e.errno)),
    },
    {
      id: "diskError",
      title: "The disk under the volume fails",
      check: (e) => (e.errno === 5 ? (e.snapshotReleased ? "no" : "true") : "no"),
      detail: (e) => (e.errno === null ? "no error number was kept" : errnoText(e.errno)),
    },
  ],
  actions: [
    action("showSelection"),
    action("rerun"),
    action(
      "oneAtATime",
      "Each volume's snapshot is then held only while that volume is read, so its cache is less likely to run full under it. The volumes' instants will differ. Changes this job only.",
    ),
  ],
  article,
});
