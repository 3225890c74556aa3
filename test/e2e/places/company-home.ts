/** `company-home.ts HOME`: writes the company into the database of a console that does not run, by the console's own stores. */
import path from "node:path";
import pino from "pino";
import { AccountStore } from "@/server/console/data/accounts";
import { ActivityStore } from "@/server/console/data/activity";
import { type Database, openDatabase } from "@/server/console/data/database";
import { FailureStore } from "@/server/console/data/failures";
import { HostStore } from "@/server/console/data/hosts";
import { JobStore } from "@/server/console/data/jobs";
import { SampleStore } from "@/server/console/data/run-samples";
import { SettingStore } from "@/server/console/data/settings";
import { hashKey } from "@/server/console/link/host-key";
import { tokenHash } from "@/server/console/services/accounts/one-time-token";
import { HistoryRecorder } from "@/server/console/services/history/recorder";
import { readOrCreateKey } from "@/server/console/services/secrets/key-file";
import { Vault } from "@/server/console/services/secrets/vault";
import { ADMINISTRATOR } from "../../fixtures/console-under-test";
import { officeWeeks } from "../../fixtures/history";
import { insertRuns } from "../../seed/seed";
import { type HostName, hosts, invitation, volumes } from "./company";
import { jobs, paused } from "./company-jobs";
import { writeChannels, writePeople, writeSingleSignOn } from "./company-people";
import { stories } from "./company-runs";
import { ago, DAY, HOUR, NOW, ZONE } from "./moment";

const KIB = 1024;
const [home = "", what = "filled"] = process.argv.slice(2);
const db = await openDatabase(path.join(home, "console"));
const vault = new Vault(readOrCreateKey(path.join(home, "console", "secret.key")));
try {
  await writeHosts(db, what === "filled" ? ["db01", "web01", "mail01"] : ["db01"]);
  if (what === "filled") {
    await writeHistory(db);
    await writeJobs(db);
    await writeRuns(db);
    await writePeople(db);
    const invited = { email: ADMINISTRATOR.email, role: "administrator", invitedBy: "root on db01" } as const;
    await new AccountStore(db).invite(tokenHash(invitation), {
      ...invited,
      expiresAt: new Date(NOW + DAY),
      forPassword: false,
    });
    await writeChannels(db);
    await writeSingleSignOn(db);
  }
} finally {
  await db.$disconnect();
}

async function writeHosts(db: Database, names: readonly HostName[]): Promise<void> {
  const store = new HostStore(db);
  for (const name of names) {
    const { id, key, hostname, kernel } = hosts[name];
    await store.create({ id, name, hostname, keyHash: hashKey(key) });
    if (name !== "mail01") continue;
    const facts = { hostname, version: "0.1.0", kernel, timeZone: ZONE };
    await store.greeted(id, facts, "outbox of mail01", new Date(ago(11.4 * HOUR)));
    await store.saveVolumes(id, volumes[name], new Date(ago(11.4 * HOUR)));
  }
  await new SettingStore(db).setLocalHostId(hosts.db01.id);
}

/** Three weeks of writing on two volumes; on the others nothing was measured yet. */
async function writeHistory(db: Database): Promise<void> {
  const recorder = new HistoryRecorder(new ActivityStore(db), pino({ level: "silent" }));
  const to = Math.floor(NOW / HOUR) * HOUR;
  for (const [volume, rate] of [
    ["/var/lib/postgresql", 900 * KIB],
    ["/home", 70 * KIB],
  ] as const)
    await recorder.receive(hosts.db01.id, ZONE, officeWeeks(volume, to - 21 * DAY, to, rate));
  await recorder.close();
}

async function writeJobs(db: Database): Promise<void> {
  const store = new JobStore(db);
  for (const { id, next, input } of Object.values(jobs)) {
    const { password: _, ...job } = input;
    const sealed = job.destination.kind === "restic" ? vault.seal("the repository's password", id) : undefined;
    await store.save(id, job, sealed, next === null ? null : new Date(next));
  }
  await store.setPaused(jobs[paused].id, new Date(ago(3 * DAY)), null);
}

async function writeRuns(db: Database): Promise<void> {
  await insertRuns(db, stories);
  await new SampleStore(db).add(
    stories.flatMap(({ run, samples }) => samples.map((sample) => ({ runId: run.id, sample }))),
  );
  await db.run.updateMany({
    where: { id: { in: stories.filter(({ live }) => live).map(({ run }) => run.id) } },
    data: { active: true },
  });
  const failures = new FailureStore(db);
  const [torn] = (await failures.list({ openOnly: true })).filter(({ code }) => code === "SF-103");
  if (torn)
    await failures.acknowledge(torn, {
      by: "grace@example.net",
      at: new Date(ago(20 * HOUR)),
      note: "the vault is moving to the new rack",
    });
}
