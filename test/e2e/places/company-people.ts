/** Who works with the company's console, what they did, and who is told of failures. */
import { ApiKeyStore } from "@/server/console/data/api-keys";
import { AuditStore } from "@/server/console/data/audit";
import type { Database } from "@/server/console/data/database";
import { FeedbackStore } from "@/server/console/data/feedback";
import { ChannelStore } from "@/server/console/data/notification-channels";
import { DeliveryStore } from "@/server/console/data/notification-deliveries";
import { SingleSignOnStore } from "@/server/console/data/single-sign-on";
import { type Message, targetSchema } from "@/server/core/contracts/notifications";
import { singleSignOnSchema } from "@/server/core/contracts/single-sign-on";
import { jobs } from "./company-jobs";
import { stories } from "./company-runs";
import { ago, DAY, HOUR, NOW } from "./moment";

/** Users besides the administrator, their keys, and what they did. */
export async function writePeople(db: Database): Promise<void> {
  const at = new Date(ago(40 * DAY));
  for (const [name, email, role] of [
    ["Grace Hopper", "grace@example.net", "operator"],
    ["Margaret Hamilton", "margaret.hamilton@operations.example.net", "viewer"],
  ] as const)
    await db.user.create({
      data: { id: email, name, email, role, emailVerified: true, twoFactorEnabled: role === "operator", createdAt: at },
    });
  const keys = new ApiKeyStore(db);
  const made = { createdBy: "ada@example.net", keyHash: "" };
  await keys.create({
    ...made,
    id: "prometheus",
    name: "Prometheus",
    keyHash: "1",
    hint: "sfk_7Qd2",
    scopes: ["metrics"],
    expiresAt: null,
  });
  await keys.create({
    ...made,
    id: "deploy",
    name: "Runs before a deployment",
    keyHash: "2",
    hint: "sfk_Lm40",
    scopes: ["read", "run"],
    expiresAt: new Date(NOW + 12 * DAY),
  });
  await keys.used("prometheus", new Date(ago(9 * 1000)));
  const feedback = new FeedbackStore(db);
  await feedback.add({ code: "a000851c", helpful: true, text: "", by: "grace@example.net" });
  await feedback.add({
    code: "a000851c",
    helpful: false,
    text: "How large should the cache be for a database that is restored every night?",
    by: "margaret.hamilton@operations.example.net",
  });
  const audit = new AuditStore(db);
  const entry = {
    role: "operator",
    address: "192.0.2.17",
    message: null,
    input: null,
    before: null,
    after: null,
  } as const;
  await audit.add({
    ...entry,
    by: "root on db01",
    role: null,
    address: null,
    action: "jobs.create",
    subject: "Nightly database",
    outcome: "done",
  });
  await audit.add({ ...entry, by: "grace@example.net", action: "account.signIn", subject: null, outcome: "done" });
  await audit.add({
    ...entry,
    by: "grace@example.net",
    action: "jobs.update",
    subject: "Documents",
    outcome: "done",
    input: { id: jobs.documents.id },
    before: { openFile: { oneAtATime: "inherit" } },
    after: { openFile: { oneAtATime: "on" } },
  });
  await audit.add({
    ...entry,
    by: "margaret.hamilton@operations.example.net",
    role: "viewer",
    action: "jobs.run",
    subject: "Web content to the vault, kept for the auditors until 2036",
    outcome: "refused",
    message: "Your role, viewer, may not run jobs.",
  });
}

/** Sign-in by the company's own provider. */
export async function writeSingleSignOn(db: Database): Promise<void> {
  const settings = singleSignOnSchema.parse({
    ...{ enabled: true, label: "Example", issuer: "https://id.example.net", clientId: "stillframe" },
    ...{
      scopes: ["openid", "email", "profile"],
      roleClaim: "groups",
      otherwise: "viewer",
      emailDomains: ["example.net"],
    },
    roleRules: [
      { value: "backup-admins", role: "administrator" },
      { value: "operations", role: "operator" },
    ],
    ...{ linksExisting: true, assumesVerified: false, trustsSecondFactor: true, localSignIn: true },
  });
  await new SingleSignOnStore(db).set({ settings, sealed: null });
}

/** Two channels: one that works, one whose receiver is away. */
export async function writeChannels(db: Database): Promise<void> {
  const channels = new ChannelStore(db);
  const common = { enabled: true, jobIds: null, quietMinutes: 60, sealed: null };
  const email = {
    kind: "email",
    host: "mail.example.net",
    port: 587,
    security: "starttls",
    user: null,
    from: "stillframe@example.net",
    to: ["operations@example.net"],
  };
  const ntfy = { kind: "ntfy", server: "https://ntfy.example.net", topic: "backups" };
  await channels.save({
    ...common,
    id: "email",
    name: "Operations",
    target: targetSchema.parse(email),
    receiver: "operations@example.net by mail.example.net",
    tells: ["failed", "recovered"],
  });
  await channels.save({
    ...common,
    id: "ntfy",
    name: "On call",
    target: targetSchema.parse(ntfy),
    receiver: "backups at ntfy.example.net",
    tells: ["failed"],
    quietMinutes: 0,
  });
  const deliveries = new DeliveryStore(db);
  const run = stories.find(({ run: { code } }) => code === "a000851c")?.run;
  const message = (title: string): Message => ({
    ...{ severity: "failed", title, lines: [], at: ago(7 * HOUR), link: "/", job: null, host: "db01", run: null },
    ...{ code: run?.code ?? null, untold: 0 },
  });
  const title = "Documents on db01 failed: the cache ran full";
  await deliveries.addTried(
    "email",
    message(title),
    { ok: true, answer: "250 2.0.0 Ok: queued as 4F1C90AA" },
    new Date(ago(6.8 * HOUR)),
  );
  await deliveries.addTried(
    "ntfy",
    message(title),
    { ok: false, answer: "ntfy.example.net refused the connection" },
    new Date(ago(6.7 * HOUR)),
  );
}
