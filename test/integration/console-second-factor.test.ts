/** A second factor over the real API: nobody is in without the code, and codes cannot be guessed. */
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ADMINISTRATOR, ConsoleUnderTest } from "../fixtures/console-under-test";
import { freshTotp, totp, wrongCode } from "../fixtures/totp";

let it: ConsoleUnderTest;
let cookie: string;
beforeEach(async () => {
  it = new ConsoleUnderTest();
  await it.start();
  cookie = await it.signUp();
});
afterEach(() => it.remove());

const { email, password } = ADMINISTRATOR;
const cookiesOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .filter((text) => !/Max-Age=0/i.test(text))
    .map((text) => text.split(";")[0])
    .join("; ");
const twoFactor = (what: string, body: object, as: string) =>
  it.post(`/api/auth/two-factor/${what}`, body, { cookie: as });
const signedIn = async (as: string) => (await it.client(as).account.state.query()).signedIn;
const audit = async () =>
  (await it.client(cookie).audit.list.query({})).filter(({ action }) => /^account/.test(action));

/** Sets it up as the page does; `cookie` is that of the new session afterwards. */
async function enrol(): Promise<{ secret: string; backupCodes: string[] }> {
  const enabled = await (await twoFactor("enable", { password }, cookie)).json();
  const secret = new URL(enabled.totpURI).searchParams.get("secret") ?? "";
  const verified = await twoFactor("verify-totp", { code: await freshTotp(secret) }, cookie);
  expect(verified.status).toBe(200);
  cookie = cookiesOf(verified);
  return { secret, backupCodes: enabled.backupCodes };
}

async function passwordOnly(): Promise<string> {
  const response = await it.post("/api/auth/sign-in/email", { email, password });
  expect(await response.json()).toMatchObject({ twoFactorRedirect: true });
  return cookiesOf(response);
}

test("it counts only once a code was shown to be right, and the password is asked first", async () => {
  const { account } = it.client(cookie);
  expect((await twoFactor("enable", { password: "wrong wrong wrong" }, cookie)).status).toBe(400);
  const { totpURI } = await (await twoFactor("enable", { password }, cookie)).json();
  expect(totpURI).toMatch(/^otpauth:\/\/totp\/Stillframe/);
  const secret = new URL(totpURI).searchParams.get("secret") ?? "";
  expect((await twoFactor("verify-totp", { code: wrongCode(secret) }, cookie)).status).toBe(401);
  expect((await account.safety.query()).secondFactor).toBeNull();
  await it.signIn();
  await enrol();
  expect((await it.client(cookie).account.safety.query()).secondFactor).toEqual({ backupCodesLeft: 10 });
  const [on] = await audit();
  expect(on).toMatchObject({ action: "account.enableSecondFactor", by: email, role: "administrator", outcome: "done" });
});

test("the password alone lets nobody in; with the code it does, and secrets are kept encrypted", async () => {
  const { secret, backupCodes } = await enrol();
  const half = await passwordOnly();
  expect(await signedIn(half)).toBe(false);
  expect((await twoFactor("verify-totp", { code: wrongCode(secret) }, half)).status).toBe(401);
  const code = await freshTotp(secret);
  expect((await twoFactor("verify-totp", { code, trustDevice: true }, half)).status).toBe(400);
  const whole = await twoFactor("verify-totp", { code }, half);
  expect(await signedIn(cookiesOf(whole))).toBe(true);
  const [right, wrong] = await audit();
  expect(right).toMatchObject({ action: "account.signIn", by: email, outcome: "done", input: { method: "code" } });
  expect(wrong).toMatchObject({ action: "account.signIn", by: email, outcome: "refused", message: "wrong code" });
  const db = new Sqlite(it.databaseFile, { readonly: true });
  const stored = JSON.stringify(db.prepare("SELECT * FROM TwoFactor").all());
  db.close();
  for (const plain of [secret, ...backupCodes]) expect(stored).not.toContain(plain);
  const everything = JSON.stringify(await it.client(cookie).audit.list.query({ limit: 1000 }));
  for (const plain of [secret, ...backupCodes]) expect(everything).not.toContain(plain);
});

test("a code is good once, also that of the set-up, however it is written", async () => {
  const { secret } = await enrol();
  const code = await freshTotp(secret);
  const signingIn = async (typed: string) =>
    (await twoFactor("verify-totp", { code: typed }, await passwordOnly())).status;
  expect(await signingIn(code)).toBe(200);
  for (const typed of [code, ` ${code}`, `${code.slice(0, 3)} ${code.slice(3)}`])
    expect(await signingIn(typed)).toBe(401);
  const [refused] = await audit();
  expect(refused).toMatchObject({
    action: "account.signIn",
    outcome: "refused",
    message: "a code that was used already",
  });
});

test("of two sign-ins by the same code at once one is let in", async () => {
  const { secret } = await enrol();
  const code = await freshTotp(secret);
  const halves = await Promise.all([passwordOnly(), passwordOnly()]);
  const both = await Promise.all(halves.map((half) => twoFactor("verify-totp", { code }, half)));
  expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
});

test("a backup code works once, and new ones replace those that are left", async () => {
  const { backupCodes } = await enrol();
  const [code = ""] = backupCodes;
  const whole = await twoFactor("verify-backup-code", { code }, await passwordOnly());
  expect(await signedIn(cookiesOf(whole))).toBe(true);
  expect((await it.client(cookie).account.safety.query()).secondFactor).toEqual({ backupCodesLeft: 9 });
  expect((await twoFactor("verify-backup-code", { code }, await passwordOnly())).status).toBe(401);
  const made = await (await twoFactor("generate-backup-codes", { password }, cookie)).json();
  expect((await it.client(cookie).account.safety.query()).secondFactor).toEqual({ backupCodesLeft: 10 });
  const old = await twoFactor("verify-backup-code", { code: backupCodes[1] }, await passwordOnly());
  expect(old.status).toBe(401);
  const fresh = await twoFactor("verify-backup-code", { code: made.backupCodes[0] }, await passwordOnly());
  expect(fresh.status).toBe(200);
});

test("codes cannot be guessed: after a few the account has to wait, also with the right one", async () => {
  const { secret } = await enrol();
  const half = await passwordOnly();
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await twoFactor("verify-totp", { code: wrongCode(secret) }, half)).status);
  expect(statuses).toEqual([401, 401, 401, 401, 401]);
  const refused = await twoFactor("verify-totp", { code: totp(secret) }, half);
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ code: "LOCKED_OUT", retryAfterSeconds: expect.any(Number) });
  // Entering the password again does not begin anew.
  expect((await it.post("/api/auth/sign-in/email", { email, password })).status).toBe(429);
  expect(await signedIn(cookie)).toBe(true);
  const [locked] = await audit();
  expect(locked).toMatchObject({ action: "account.lockOut", by: email, address: "127.0.0.1" });
});

test("it is turned off with the password, or by an administrator, which ends the sign-ins", async () => {
  await enrol();
  expect((await twoFactor("disable", { password: "wrong wrong wrong" }, cookie)).status).toBe(400);
  const off = await twoFactor("disable", { password }, cookie);
  expect(off.status).toBe(200);
  cookie = cookiesOf(off);
  expect(await signedIn(await it.signIn())).toBe(true);
  expect((await audit()).map(({ action, outcome }) => `${action} ${outcome}`).slice(1, 3)).toEqual([
    "account.disableSecondFactor done",
    "account.disableSecondFactor refused",
  ]);
  await enrol();
  const ended = cookie;
  const { users } = it.client(cookie);
  expect((await users.list.query()).users).toMatchObject([{ secondFactor: true }]);
  await users.removeSecondFactor.mutate({ email });
  expect(await signedIn(ended)).toBe(false);
  cookie = await it.signIn();
  const again = it.client(cookie).users;
  expect((await again.list.query()).users).toMatchObject([{ secondFactor: false }]);
  await expect(again.removeSecondFactor.mutate({ email })).rejects.toThrow("has no second factor");
});

test("a change of one's own password is kept in the audit log, a wrong one too, and guessing is stopped", async () => {
  const change = (currentPassword: string) =>
    it.post("/api/auth/change-password", { currentPassword, newPassword: "a better password" }, { cookie });
  expect((await change("wrong wrong wrong")).status).toBe(400);
  expect((await change(password)).status).toBe(200);
  expect((await audit()).slice(0, 2)).toMatchObject([
    { action: "account.changePassword", by: email, role: "administrator", outcome: "done" },
    { action: "account.changePassword", by: email, outcome: "refused", message: "wrong password" },
  ]);
  for (let i = 0; i < 5; i++) await change("wrong wrong wrong");
  expect((await change("a better password")).status).toBe(429);
});
