/** Who may do what: the one table that procedures, pages and buttons share. */

/** From the least to the most: each may do all that the one before may. */
export const roles = ["viewer", "operator", "administrator"] as const;
export type Role = (typeof roles)[number];

export const roleTexts: Record<Role, { label: string; does: string }> = {
  viewer: { label: "Viewer", does: "Sees everything, changes nothing." },
  operator: { label: "Operator", does: "Runs and cancels jobs, and troubleshoots failures." },
  administrator: {
    label: "Administrator",
    does: "Changes jobs, volumes, settings and users, and restores files. Jobs run as root on their hosts.",
  },
};

/** The least role for each. What can run a program or write a file of choice as root is an administrator's. */
export const permissions = {
  see: "viewer",
  readMetrics: "viewer",
  rateArticles: "viewer",
  runJobs: "operator",
  troubleshoot: "operator",
  browseBackups: "operator",
  restore: "administrator",
  changeJobs: "administrator",
  changeVolumes: "administrator",
  changeSettings: "administrator",
  manageHosts: "administrator",
  manageNotifications: "administrator",
  manageUsers: "administrator",
  readAudit: "administrator",
  readFeedback: "administrator",
  manageKeys: "administrator",
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof permissions;

export function may(role: Role, permission: Permission): boolean {
  return roles.indexOf(role) >= roles.indexOf(permissions[permission]);
}

/** What somebody is told who may not. */
export function refusal(role: Role, permission: Permission): string {
  const least = roleTexts[permissions[permission]].label.toLowerCase();
  return `This needs the role ${least}; yours is ${roleTexts[role].label.toLowerCase()}.`;
}

/** Of an action on a failure (`server/core/errors/actions.ts`): what reaches beyond the failed job,
 * or changes its hooks, is not an operator's. */
export function actionPermission(action: string): Permission {
  if (action === "allowLocation") return "changeSettings";
  return action === "hookWarns" ? "changeJobs" : "troubleshoot";
}
