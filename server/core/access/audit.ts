/** The audit log's words: one for each action that changes something, also what the command line does. */
export const auditActions = {
  "account.addPasskey": "added a passkey",
  "account.changePassword": "changed their own password",
  "account.create": "took up an invitation",
  "account.createByProvider": "came the first time by single sign-on",
  "account.disableSecondFactor": "turned their second factor off",
  "account.enableSecondFactor": "turned their second factor on",
  "account.endOtherSessions": "ended all other sign-ins of their own",
  "account.endSession": "ended a sign-in of their own",
  "account.link": "was linked to a provider",
  "account.lockOut": "has to wait",
  "account.newBackupCodes": "made new backup codes",
  "account.removePasskey": "removed a passkey of their own",
  "account.renamePasskey": "renamed a passkey of their own",
  "account.roleByProvider": "was given a role by the provider",
  "account.setPassword": "chose a new password by a link",
  "account.signIn": "signed in",
  "apiKeys.create": "made an API key",
  "apiKeys.remove": "revoked an API key",
  "articles.feedback": "gave feedback on an article",
  "cache.removeOrphans": "removed orphaned caches",
  "failures.acknowledge": "acknowledged a failure",
  "failures.act": "applied a fix",
  "failures.diagnostics": "downloaded the diagnostics of a failure",
  "failures.takeBack": "took back an acknowledgement",
  "hosts.diagnostics": "downloaded the diagnostics of a host",
  "hosts.doctor": "ran the self-test",
  "hosts.invite": "made a command that adds a host",
  "hosts.join": "became a host",
  "hosts.remove": "removed a host",
  "hosts.repair": "repaired a host",
  "hosts.restartEngine": "restarted an engine",
  "hosts.restartWorker": "restarted a worker",
  "jobs.checkRepository": "opened or made a repository",
  "jobs.create": "created a job",
  "jobs.remove": "removed a job",
  "jobs.run": "ran a job",
  "jobs.setPaused": "paused or continued a job",
  "jobs.testHook": "ran a hook alone",
  "jobs.update": "changed a job",
  "notifications.create": "made a notification channel",
  "notifications.remove": "removed a notification channel",
  "notifications.retry": "sent a notification again",
  "notifications.test": "tested a notification channel",
  "notifications.update": "changed a notification channel",
  "restore.start": "restored files",
  "runs.cancel": "cancelled a run",
  "settings.importReg": "imported a registry export",
  "settings.set": "changed settings",
  "singleSignOn.check": "asked the sign-in provider what it is",
  "singleSignOn.set": "changed single sign-on",
  "users.invite": "invited somebody",
  "users.passwordLink": "made a link for a new password",
  "users.remove": "removed a user",
  "users.removeSecondFactor": "removed a second factor",
  "users.setRole": "changed a role",
  "users.withdraw": "withdrew an invitation",
  "volumes.attach": "attached a volume",
  "volumes.createPractice": "made a practice volume",
  "volumes.detach": "detached a volume",
  "volumes.removePractice": "removed a practice volume",
  "volumes.setWriter": "switched a practice writer",
} as const;

export type AuditAction = keyof typeof auditActions;

export function isAuditAction(name: string): name is AuditAction {
  return Object.hasOwn(auditActions, name);
}

const SECRET = /password|secret|token|credential|cookie|content/i;
const LONGEST_TEXT = 500;

/** The value as the log keeps it: without secrets, long texts cut. Depth and size are those of validated input. */
export function redacted(value: unknown): unknown {
  if (typeof value === "string") return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
  if (Array.isArray(value)) return value.map(redacted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      // Whether there is one may be told.
      SECRET.test(key) && typeof inner !== "boolean" && inner !== undefined ? "(not kept)" : redacted(inner),
    ]),
  );
}

export type FieldChange = { field: string; before: unknown; after: unknown };

/** The fields in which two documents differ, by their path, in the order of the paths. */
export function changedFields(before: unknown, after: unknown, path = ""): FieldChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [{ field: path, before, after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => changedFields(before[key], after[key], path ? `${path}.${key}` : key));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
