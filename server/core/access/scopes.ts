/** What a program's key is good for. A scope gives permissions of the one table, and none that is an administrator's. */
import { z } from "zod";
import type { Permission } from "./permissions";

export const scopeSchema = z.enum(["metrics", "read", "run"]);
export type Scope = z.infer<typeof scopeSchema>;

export const scopes = scopeSchema.options;

export const scopeTexts: Record<Scope, { label: string; does: string }> = {
  metrics: { label: "Metrics", does: "Reads /metrics: names of hosts, volumes and jobs, and their figures." },
  read: { label: "Read", does: "Reads jobs, runs, volumes and failures, as a viewer does, and the metrics." },
  run: { label: "Run", does: "Starts and cancels runs of the jobs there are. Does not change a job." },
};

const granted: Record<Scope, readonly Permission[]> = {
  metrics: ["readMetrics"],
  read: ["see", "readMetrics"],
  run: ["runJobs"],
};

export function grants(held: readonly Scope[], permission: Permission): boolean {
  return held.some((scope) => granted[scope].includes(permission));
}

/** The scopes that give a permission, for the one who lacks it. */
export function scopesFor(permission: Permission): Scope[] {
  return scopes.filter((scope) => granted[scope].includes(permission));
}
