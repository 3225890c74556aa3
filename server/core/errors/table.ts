/**
 * The one table of all errors that a person can see. Pages, log lines, the API and the command line
 * read texts, causes and actions from here and nowhere else.
 */
import type { ErrorCode } from "./codes";
import { missingPath } from "./entries/a00084af";
import { cacheFull } from "./entries/a000851c";
import { unreachable } from "./entries/ofo-comm";
import { noQuiet } from "./entries/ofo-quiet";
import { freezeDeadline } from "./entries/sf-101";
import { damagedCache } from "./entries/sf-102";
import { backupFailed } from "./entries/sf-103";
import { hookFailed } from "./entries/sf-104";
import { noProvider } from "./entries/sf-105";
import { interrupted } from "./entries/sf-106";
import { missedStart } from "./entries/sf-107";
import type { ErrorEntry } from "./entry";

export const errorTable: Record<ErrorCode, ErrorEntry> = {
  a00084af: missingPath,
  a000851c: cacheFull,
  "OFO-QUIET": noQuiet,
  "OFO-COMM": unreachable,
  "SF-101": freezeDeadline,
  "SF-102": damagedCache,
  "SF-103": backupFailed,
  "SF-104": hookFailed,
  "SF-105": noProvider,
  "SF-106": interrupted,
  "SF-107": missedStart,
};
