import type { ErrorCode } from "./codes";

/** Headings of the errors, apart from the table: lists of failures need no more of it. */
export const errorTitles: Readonly<Record<ErrorCode, string>> = {
  a00084af: "A selected path could not be read",
  a000851c: "The cache ran full, or found no room",
  "OFO-QUIET": "No quiet window was found",
  "OFO-COMM": "A part of Stillframe does not answer",
  "SF-101": "The freeze outlived its deadline",
  "SF-102": "The cache could not be read back",
  "SF-103": "The backup program failed",
  "SF-104": "A hook failed or did not answer",
  "SF-105": "This volume cannot be snapshotted",
  "SF-106": "The run was interrupted",
  "SF-107": "A scheduled run did not start",
};
