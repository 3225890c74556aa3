import { formatBytes } from "../../text/bytes";
import { action } from "../actions";
import { article } from "../articles/a000851c";
import { defineEntry, verdict } from "../entry";
import { errnoText } from "../errno-text";
import type { EvidenceOf } from "../evidence";

type CacheFull = EvidenceOf<"a000851c">;

const of = (volume: string | null) => (volume ? ` of ${volume}` : "");
const wide = (e: CacheFull) => e.locations.filter((location) => location.turnedDown === null);

/** Cache that one volume at a time would spare; null where it is not known. */
function savedOneAtATime(e: CacheFull): number | null {
  if (e.needAllAtOnceBytes === null || e.needOneAtATimeBytes === null) return null;
  return Math.max(0, e.needAllAtOnceBytes - e.needOneAtATimeBytes);
}

/** The most that was kept: after the release the curve falls back to nothing. */
function usedAtMost(e: CacheFull): number | null {
  return e.curve.length === 0 ? null : Math.max(...e.curve.map((point) => point.usedBytes));
}

function sentence(e: CacheFull): string {
  switch (e.cause) {
    case "noLocation":
      return `No location had room for the cache${of(e.volume)}, so no snapshot was taken. The live volume was not affected.`;
    case "maximumReached":
      return `The cache${e.maxBytes ? ` reached its maximum of ${formatBytes(e.maxBytes)}` : " ran full"} and the snapshot${of(e.volume)} was released. The live volume was not affected.`;
    case "noSpace":
      return `The disk that holds the cache ran full and the snapshot${of(e.volume)} was released. The live volume was not affected.`;
    case "io":
      return `The cache could not be written${e.errno ? ` (${errnoText(e.errno)})` : ""} and the snapshot${of(e.volume)} was released. The live volume was not affected.`;
  }
}

export const cacheFull = defineEntry({
  code: "a000851c",
  text: "OFO: Snapshot error (0xa000851c): SnapShot CacheFileBroker was unable to allocate cache files. Check disk space.",
  sentence,
  causes: [
    {
      id: "moreChanged",
      title: "More changed than the cache can hold",
      check: (e) => (e.cause === "maximumReached" ? "true" : e.cause === "noSpace" ? "unknown" : "no"),
      detail: (e) => {
        const used = usedAtMost(e);
        if (used === null) return e.maxBytes === null ? "no fill curve was kept" : `${formatBytes(e.maxBytes)} allowed`;
        return `${formatBytes(used)} of old contents kept${e.maxBytes === null ? "" : `; ${formatBytes(e.maxBytes)} allowed`}`;
      },
    },
    {
      id: "allHeldAtOnce",
      title: "All volumes held at once",
      check: (e) => {
        if (e.mode === "oneAtATime") return "no";
        if (e.mode === null || e.needAllAtOnceBytes === null || e.needOneAtATimeBytes === null) return "unknown";
        return verdict(e.needOneAtATimeBytes < e.needAllAtOnceBytes);
      },
      detail: (e) => {
        if (e.mode === "oneAtATime") return "volumes were processed one at a time";
        if (e.needOneAtATimeBytes === null) return "the need of each volume alone is not known";
        const together = e.needAllAtOnceBytes === null ? "" : `; together ${formatBytes(e.needAllAtOnceBytes)}`;
        return `the largest volume alone needs ${formatBytes(e.needOneAtATimeBytes)}${together}`;
      },
    },
    {
      id: "locationsTurnedDown",
      title: "Every allowed location was turned down",
      check: (e) => (e.cause === "noLocation" ? "true" : "no"),
      detail: (e) =>
        e.locations.length === 0
          ? "no location was listed"
          : e.locations.map((l) => `${l.path}: ${l.turnedDown ?? `${formatBytes(l.freeBytes)} free`}`).join("; "),
    },
    {
      id: "othersTookSpace",
      title: "Other files took the space",
      check: (e) => {
        if (e.cause === "noSpace") return "true";
        return e.cause === "maximumReached" ? "no" : "unknown";
      },
      detail: (e) => {
        const location = wide(e)[0] ?? e.locations[0];
        return location
          ? `${formatBytes(location.freeBytes)} left free on ${location.path}`
          : "free space is not known";
      },
    },
    {
      id: "orphans",
      title: "Orphaned cache files",
      check: (e) => verdict(e.orphanBytes === null ? null : e.orphanBytes > 0),
      detail: (e) =>
        e.orphanBytes === null ? "not looked for" : e.orphanBytes > 0 ? formatBytes(e.orphanBytes) : "none found",
    },
    {
      id: "diskError",
      title: "A disk error under the cache",
      check: (e) => verdict(e.cause === "io" || e.errno === 5),
      detail: (e) => (e.errno === null ? "no error from the disk" : errnoText(e.errno)),
    },
  ],
  actions: [
    action("oneAtATime"),
    action("raiseMaximum"),
    action("holdWriters"),
    action("placeCache"),
    action(
      "quietHour",
      "Moves this job's start to the hour in which least is written to its volumes, by what was measured of them; its days stay as they are. A job without a schedule gets that hour of the week.",
    ),
    action("allowLocation"),
    action("removeOrphans"),
  ],
  helps: (e, id) => {
    if (id === "oneAtATime") return e.mode !== "oneAtATime" && savedOneAtATime(e) !== 0;
    if (id === "holdWriters") return e.whenFull !== "hold" && (e.cause === "maximumReached" || e.cause === "noSpace");
    return id !== "removeOrphans" || e.orphanBytes !== 0;
  },
  figures: (e, id) => {
    if (id === "removeOrphans") return e.orphanBytes === null ? null : `They hold ${formatBytes(e.orphanBytes)}.`;
    if (id !== "oneAtATime" || e.needOneAtATimeBytes === null || e.needAllAtOnceBytes === null) return null;
    return `It will need ${formatBytes(e.needOneAtATimeBytes)} of cache at a time instead of ${formatBytes(e.needAllAtOnceBytes)}.`;
  },
  article,
});
