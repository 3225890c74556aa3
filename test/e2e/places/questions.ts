/** Places as they are while their questions have no answer, and when the answer is that the console failed. */
import { volumePath } from "@/app/(console)/volumes/volume-path";
import { hosts } from "./company";
import { jobs } from "./company-jobs";
import { runNamed } from "./company-runs";

export type Question = {
  name: string;
  path: string;
  /** What the place asks for, in its own words. */
  of: string;
  /** Pictures that are kept. */
  kept?: readonly ("loading" | "failed")[];
};

export const questions: readonly Question[] = [
  { name: "overview", path: "/", of: "overview", kept: ["loading", "failed"] },
  { name: "jobs", path: "/jobs", of: "jobs", kept: ["loading"] },
  { name: "job", path: `/jobs/${jobs.documents.id}`, of: "job" },
  { name: "job-new", path: "/jobs/new", of: "hosts" },
  { name: "runs", path: "/runs", of: "runs" },
  { name: "run", path: `/runs/${runNamed("succeeded")}`, of: "run", kept: ["failed"] },
  // The volumes themselves are in the console's memory.
  { name: "volumes", path: "/volumes", of: "hosts of the volumes", kept: ["failed"] },
  {
    name: "volume",
    path: volumePath({ hostId: hosts.db01.id, name: "/var/lib/postgresql" }),
    of: "measurements of the week",
    kept: ["failed"],
  },
  { name: "cache", path: "/cache", of: "cache locations" },
  { name: "troubleshoot", path: "/troubleshoot", of: "failures" },
  { name: "failure", path: "/troubleshoot/44444444-0000-4000-8000-000000000001", of: "failure" },
  { name: "articles", path: "/articles", of: "readers’ feedback" },
  { name: "hosts", path: "/hosts", of: "hosts" },
  { name: "settings", path: "/settings", of: "settings" },
  { name: "settings-notifications", path: "/settings/notifications", of: "channels" },
  { name: "settings-users", path: "/settings/users", of: "users" },
  { name: "settings-single-sign-on", path: "/settings/single-sign-on", of: "settings of single sign-on" },
  { name: "settings-keys", path: "/settings/keys", of: "keys" },
  { name: "settings-audit", path: "/settings/audit", of: "audit log" },
  { name: "settings-account", path: "/settings/account", of: "passkeys", kept: ["loading", "failed"] },
];

/** What only a place says that has its answer and nothing in it. */
export const SAYS_EMPTY =
  /\b(No \w+ yet|None yet|None was kept|Nothing (has|was|needs)|Nobody is told|This host has no|0 (jobs|runs|volumes)|Applies to 0|No program has|None is attached|No location)\b/;
