/** The audit log over the real API: who did what, before and after, without secrets, and never changed. */
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auditActions, isAuditAction } from "@/server/core/access/audit";
import { procedures } from "../fixtures/console-procedures";
import { ADMINISTRATOR, ConsoleUnderTest } from "../fixtures/console-under-test";

let it: ConsoleUnderTest;
let cookie: string;
beforeAll(async () => {
  it = new ConsoleUnderTest();
  await it.start();
  cookie = await it.signUp();
});
afterAll(() => it.remove());

const log = (query = {}) => it.client(cookie).audit.list.query(query);

test("every procedure that changes something has its words, and each word its procedure", () => {
  const mutations = procedures.filter(({ type }) => type === "mutation").map(({ path }) => path);
  expect(mutations.filter((path) => !isAuditAction(path))).toEqual([]);
  const byTheAccountsLibrary = [
    "account.addPasskey",
    "account.changePassword",
    "account.disableSecondFactor",
    "account.createByProvider",
    "account.enableSecondFactor",
    "account.link",
    "account.roleByProvider",
    "account.lockOut",
    "account.newBackupCodes",
    "account.signIn",
  ];
  const byMachines = ["hosts.join"];
  const known = [...mutations, ...byTheAccountsLibrary, ...byMachines];
  expect(Object.keys(auditActions).filter((action) => !known.includes(action))).toEqual([]);
});

test("a change of settings is kept with the values before and after", async () => {
  const { settings } = it.client(cookie);
  await settings.set.mutate({ oneAtATime: true, openFile: { quiet: { minimumMs: 400 } } });
  const [entry] = await log();
  expect(entry).toMatchObject({
    by: ADMINISTRATOR.email,
    role: "administrator",
    address: "127.0.0.1",
    action: "settings.set",
    outcome: "done",
    message: null,
    before: { oneAtATime: false, openFile: { quiet: { minimumMs: 250, timeoutMs: 60_000 } } },
    after: { oneAtATime: true, openFile: { quiet: { minimumMs: 400, timeoutMs: 60_000 } } },
  });
});

test("sign-ins are kept, wrong ones too; what a link made is kept once it was made", async () => {
  await it.post("/api/auth/sign-in/email", { email: "mallory@example.net", password: "wrong wrong wrong" });
  await it.signIn();
  const [right, wrong] = await log({ action: "account.signIn" });
  expect(right).toMatchObject({ by: ADMINISTRATOR.email, outcome: "done" });
  expect(wrong).toMatchObject({ by: "mallory@example.net", outcome: "refused", address: "127.0.0.1" });
  const guess = { token: "guess", ...ADMINISTRATOR };
  await it
    .client(null)
    .account.create.mutate(guess)
    .catch(() => {});
  expect(await log({ action: "account.create" })).toHaveLength(1);
});

test("what is refused or fails is kept with the reason, and no secret ever", async () => {
  const viewer = it.client(await it.signUpAs("viewer", cookie));
  await viewer.jobs.run.mutate({ id: "any" }).catch(() => {});
  const { jobs } = it.client(cookie);
  const check = { hostId: "nowhere", repository: "/backup", password: "hunter2 hunter2" };
  await jobs.checkRepository.mutate(check).catch(() => {});
  const [failed, refused] = await log();
  expect(refused).toMatchObject({ by: "viewer@example.net", role: "viewer", action: "jobs.run", outcome: "refused" });
  expect(refused?.message).toContain("operator");
  expect(failed).toMatchObject({ action: "jobs.checkRepository", outcome: "failed", input: { repository: "/backup" } });
  const everything = JSON.stringify(await log({ limit: 1000 }));
  for (const secret of ["hunter2", "viewer's password", ADMINISTRATOR.password]) {
    expect(everything).not.toContain(secret);
  }
});

test("the log is read in pages and searched, by administrators only", async () => {
  const all = await log({ limit: 1000 });
  const first = await log({ limit: 2 });
  const second = await log({ limit: 2, cursor: first[1]?.id });
  expect([...first, ...second]).toEqual(all.slice(0, 4));
  const found = await log({ text: "mallory" });
  expect(found.map(({ by }) => by)).toEqual(["mallory@example.net"]);
  const viewer = it.client(await it.signIn({ email: "viewer@example.net", password: "the viewer's password" }));
  await expect(viewer.audit.list.query()).rejects.toThrow("administrator");
});

test("an entry cannot be changed, not even in the database", async () => {
  const db = new Sqlite(it.databaseFile);
  try {
    expect(() => db.prepare("UPDATE AuditEntry SET by = 'nobody'").run()).toThrow("cannot be changed");
  } finally {
    db.close();
  }
});
