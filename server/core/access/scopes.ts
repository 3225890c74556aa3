/**
 * What a program's key is good for. A scope gives permissions of the one table. `manage` is the only one with an
 * administrator's, and the HTTP API keeps what runs programs as root out of it: commands and hooks.
 */
import { z } from "zod";
import type { Permission } from "./permissions";

export const scopeSchema = z.enum(["metrics", "read", "run", "manage"]);
export type Scope = z.infer<typeof scopeSchema>;

export const scopes = scopeSchema.options;

export const scopeTexts: Record<Scope, { label: string; does: string }> = {
  metrics: { label: "Metrics", does: "Reads /metrics: names of hosts, volumes and jobs, and their figures." },
  read: { label: "Read", does: "Reads jobs, runs, volumes and failures, as a viewer does, and the metrics." },
  run: { label: "Run", does: "Starts and cancels runs of the jobs there are. Does not change a job." },
  manage: {
    label: "Manage",
    does: "Makes, changes, pauses and removes jobs: what is backed up, when and where to. Not what runs programs: commands and hooks stay an administrator’s.",
  },
};

const granted: Record<Scope, readonly Permission[]> = {
  metrics: ["readMetrics"],
  read: ["see", "readMetrics"],
  run: ["runJobs"],
  manage: ["changeJobs"],
};

export function grants(held: readonly Scope[], permission: Permission): boolean {
  return held.some((scope) => granted[scope].includes(permission));
}

/** The scopes that give a permission, for the one who lacks it. */
export function scopesFor(permission: Permission): Scope[] {
  return scopes.filter((scope) => granted[scope].includes(permission));
}
