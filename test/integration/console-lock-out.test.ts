/** Guessing passwords over the real API: who guesses waits, and is told how long. */
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ADMINISTRATOR, ConsoleUnderTest, eventually } from "../fixtures/console-under-test";

let it: ConsoleUnderTest;
let cookie: string;
beforeAll(async () => {
  it = new ConsoleUnderTest();
  await it.start();
  cookie = await it.signUp();
  await it.signUpAs("viewer", cookie);
});
afterAll(() => it.remove());
beforeEach(() => inDatabase((db) => db.exec("DELETE FROM SignInAttempts; DELETE FROM RateLimit")));

const wrong = "wrong wrong wrong";
const tries = (email: string, password = wrong) => it.post("/api/auth/sign-in/email", { email, password });
const lastLock = async () => (await it.client(cookie).audit.list.query({ action: "account.lockOut" }))[0]?.message;

test("many at once are stopped as one by one are, the right password too, and the waiting time is told", async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => tries(ADMINISTRATOR.email)));
  expect(answers.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  const refused = await tries("ADA@example.net", ADMINISTRATOR.password);
  expect(refused.status).toBe(429);
  const { code, retryAfterSeconds } = await refused.json();
  expect(code).toBe("LOCKED_OUT");
  expect(retryAfterSeconds).toBeGreaterThan(0);
  expect(retryAfterSeconds).toBeLessThanOrEqual(60);
  expect(refused.headers.get("retry-after")).toBe(String(retryAfterSeconds));
  expect(await lastLock()).toBe("too many wrong attempts: the account has to wait 1 min 0 s");
});

test("the wait outlasts a restart, ends by itself, and others are let in meanwhile", async () => {
  const viewer = { email: "viewer@example.net", password: "the viewer's password" };
  for (let i = 0; i < 5; i++) await tries(ADMINISTRATOR.email);
  shiftLocks(3600);
  await it.stop();
  await it.start();
  await eventually(() => fetch(`${it.origin}/healthz`).catch(() => null));
  expect((await tries(ADMINISTRATOR.email, ADMINISTRATOR.password)).status).toBe(429);
  expect((await tries(viewer.email, viewer.password)).status).toBe(200);
  shiftLocks(-3661);
  expect((await tries(ADMINISTRATOR.email, ADMINISTRATOR.password)).status).toBe(200);
  // Forgiven by the right one.
  expect((await tries(ADMINISTRATOR.email)).status).toBe(401);
});

test("an account that does not exist waits like one that does; a link for a new password ends the wait", async () => {
  for (let i = 0; i < 5; i++) await tries("nobody@example.net");
  expect((await tries("nobody@example.net")).status).toBe(429);
  for (let i = 0; i < 5; i++) await tries("viewer@example.net");
  const { link } = await it.client(cookie).users.passwordLink.mutate({ email: "viewer@example.net" });
  const token = new URL(link).searchParams.get("token") ?? "";
  await it.client(null).account.setPassword.mutate({ token, password: "a better password" });
  expect((await tries("viewer@example.net", "a better password")).status).toBe(200);
});

test("one address that tries many accounts waits too", async () => {
  for (let i = 0; i < 20; i++) expect((await tries(`guess-${i}@example.net`)).status).toBe(401);
  expect((await tries("guess-20@example.net")).status).toBe(429);
  expect(await lastLock()).toBe("too many wrong attempts: the address has to wait 1 min 0 s");
  shiftLocks(-61);
  expect((await tries("guess-20@example.net")).status).toBe(401);
});

test("behind a trusted proxy the wait is each client's own, and nobody else may say who they are", async () => {
  const from = (client: string, email: string) =>
    it.post("/api/auth/sign-in/email", { email, password: wrong }, { "x-forwarded-for": client });
  const allButOne = () =>
    inDatabase((db) => db.exec("UPDATE SignInAttempts SET failures = 19 WHERE key LIKE 'address:%'"));
  await from("203.0.113.7", "guess-1@example.net");
  allButOne();
  expect((await from("203.0.113.8", "guess-2@example.net")).status).toBe(401);
  expect((await from("203.0.113.9", "guess-3@example.net")).status).toBe(429);
  await it.stop();
  await it.start({ STILLFRAME_TRUSTED_PROXIES: "127.0.0.1, 192.0.2.1" });
  try {
    await eventually(() => fetch(`${it.origin}/healthz`).catch(() => null));
    inDatabase((db) => db.exec("DELETE FROM SignInAttempts"));
    await from("198.51.100.1, 203.0.113.7, 192.0.2.1", "guess-1@example.net");
    allButOne();
    expect((await from("203.0.113.7", "guess-2@example.net")).status).toBe(401);
    expect((await from("203.0.113.7", "guess-3@example.net")).status).toBe(429);
    expect((await from("203.0.113.8", "guess-3@example.net")).status).toBe(401);
    expect((await it.client(cookie).audit.list.query({ action: "account.lockOut" }))[0]?.address).toBe("203.0.113.7");
  } finally {
    await it.stop();
    await it.start();
  }
});

/** Makes all waits end so many seconds later. */
function shiftLocks(seconds: number): void {
  inDatabase((db) => {
    const locked = db.prepare("SELECT key, lockedUntil FROM SignInAttempts WHERE lockedUntil IS NOT NULL").all();
    for (const { key, lockedUntil } of locked as { key: string; lockedUntil: string }[]) {
      const shifted = new Date(new Date(lockedUntil).getTime() + seconds * 1000).toISOString();
      db.prepare("UPDATE SignInAttempts SET lockedUntil = ? WHERE key = ?").run(shifted, key);
    }
  });
}

function inDatabase(work: (db: Sqlite.Database) => void): void {
  const db = new Sqlite(it.databaseFile);
  try {
    work(db);
  } finally {
    db.close();
  }
}
