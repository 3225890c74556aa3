/** Single sign-on against a real provider: who is let in, as what, and what a false answer meets. */
import { generateKeyPairSync } from "node:crypto";
import Sqlite from "better-sqlite3";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { SingleSignOnInput } from "@/server/core/contracts/single-sign-on";
import { ADMINISTRATOR, ConsoleUnderTest } from "../fixtures/console-under-test";
import { RedirectFollower } from "../fixtures/redirect-follower";
import { CLIENT, type Falsified, type Person, SignInProvider } from "../fixtures/sign-in-provider";
import { freshTotp } from "../fixtures/totp";

const BEGIN = "/api/auth/single-sign-on/begin";
const provider = new SignInProvider();
const it = new ConsoleUnderTest();
let cookie: string;

beforeAll(async () => {
  await it.start();
  cookie = await it.signUp();
  await provider.start(`${it.origin}/api/auth/single-sign-on/callback`);
});
afterEach(() => {
  provider.falsified = null;
});
afterAll(async () => {
  await provider.stop();
  await it.remove();
});

const verified = (sub: string, more: Partial<Person> = {}): Person => ({
  sub,
  email: `${sub}@example.net`,
  email_verified: true,
  name: `${sub} of the tests`,
  ...more,
});
const settings = (change: Partial<SingleSignOnInput> = {}): SingleSignOnInput => ({
  enabled: true,
  label: "Example",
  issuer: provider.issuer,
  clientId: CLIENT.id,
  clientSecret: CLIENT.secret,
  scopes: ["openid", "email", "profile", "groups"],
  roleClaim: "groups",
  roleRules: [
    { value: "backup-admins", role: "administrator" },
    { value: "backup", role: "operator" },
  ],
  otherwise: "viewer",
  emailDomains: [],
  linksExisting: false,
  assumesVerified: false,
  trustsSecondFactor: true,
  localSignIn: true,
  signsOut: false,
  ...change,
});
const set = (change?: Partial<SingleSignOnInput>) => it.client(cookie).singleSignOn.set.mutate(settings(change));
/** Signs `person` in; the place where it ends, and whoever is signed in then. */
async function come(person: Person, browser = new RedirectFollower(), next = "/volumes") {
  provider.person = person;
  const end = await browser.follow(`${it.origin}${BEGIN}?next=${encodeURIComponent(next)}`);
  const { user } = await it.client(browser.cookiesOf(it.origin)).account.state.query();
  return { at: end.pathname + end.search, user, browser };
}
const audit = async () =>
  (await it.client(cookie).audit.list.query({})).filter(({ action }) => action.startsWith("account."));

const roleOf = async (email: string) =>
  (await it.client(cookie).users.list.query()).users.find((user) => user.email === email)?.role;

test("only an administrator sets it up; the secret is kept sealed, told to nobody and goes to no other provider", async () => {
  const { singleSignOn } = it.client(cookie);
  expect(await singleSignOn.get.query()).toEqual({
    settings: null,
    hasSecret: false,
    redirectUri: `${it.origin}/api/auth/single-sign-on/callback`,
    signedOutUri: `${it.origin}/sign-in`,
  });
  expect((await come(verified("early"))).at).toBe("/sign-in?problem=off");
  await set();
  const { clientSecret: _, ...shown } = settings();
  expect(await singleSignOn.get.query()).toMatchObject({ settings: shown, hasSecret: true });
  const db = new Sqlite(it.databaseFile, { readonly: true });
  const stored = JSON.stringify([
    db.prepare("SELECT * FROM SingleSignOn").all(),
    db.prepare("SELECT * FROM AuditEntry").all(),
  ]);
  db.close();
  expect(stored).toContain(provider.issuer);
  expect(stored).not.toContain(CLIENT.secret);
  const elsewhere = settings({ issuer: "http://127.0.0.1:9", clientSecret: undefined });
  await expect(singleSignOn.set.mutate(elsewhere)).rejects.toThrow("Enter the secret again");
  await expect(set({ issuer: "http://login.example.net" })).rejects.toThrow("https");
  await singleSignOn.set.mutate(settings({ clientSecret: undefined }));
  expect(await singleSignOn.check.mutate()).toMatchObject({ ok: true, answer: expect.stringContaining("RS256") });
  expect(await it.client(null).account.signInWays.query()).toMatchObject({ singleSignOn: "Example", local: true });
});

test("a group gives the role, anew at each sign-in, and the highest one counts", async () => {
  await set();
  const first = await come(verified("grace", { groups: ["backup", "others"] }));
  expect(first.at).toBe("/volumes");
  expect(first.user).toEqual({ name: "grace of the tests", email: "grace@example.net", role: "operator" });
  const second = await come(verified("grace", { groups: ["backup", "backup-admins"] }));
  expect(second.user?.role).toBe("administrator");
  expect((await come(verified("grace", { groups: "others" }))).user?.role).toBe("viewer");
  // The sign-in before has the new role too.
  expect((await it.client(first.browser.cookiesOf(it.origin)).account.state.query()).user?.role).toBe("viewer");
  const said = (await audit()).filter(({ by }) => by === "grace@example.net");
  expect(said.map(({ action }) => action)).toEqual([
    "account.signIn",
    "account.roleByProvider",
    "account.signIn",
    "account.roleByProvider",
    "account.signIn",
    "account.createByProvider",
  ]);
  expect(said[0]).toMatchObject({ outcome: "done", role: "viewer", input: { method: "single sign-on" } });
  expect(said[1]).toMatchObject({ before: { role: "administrator" }, after: { role: "viewer" } });
});

test("who is no longer in a group, or comes from another domain, is refused, and the audit log has it", async () => {
  await set({ otherwise: "refuse", emailDomains: ["example.net"] });
  expect((await come(verified("henry", { groups: ["backup"] }))).user?.role).toBe("operator");
  const { at, user } = await come(verified("henry", { groups: [] }));
  expect([at, user]).toEqual(["/sign-in?problem=noRole", null]);
  const outside = verified("ida", { email: "ida@example.net.evil.example", groups: ["backup"] });
  expect((await come(outside)).at).toBe("/sign-in?problem=domain");
  const [refused] = await audit();
  expect(refused).toMatchObject({ by: outside.email, action: "account.signIn", outcome: "refused", message: "domain" });
  expect(await roleOf("ida@example.net.evil.example")).toBeUndefined();
});

test("only a verified address counts, and an account is taken over by it only where the rule says so", async () => {
  await set();
  const attacker = verified("attacker", { email: ADMINISTRATOR.email });
  expect((await come(attacker)).at).toBe("/sign-in?problem=notLinked");
  await set({ linksExisting: true, assumesVerified: true });
  expect((await come({ ...attacker, email_verified: false })).at).toBe("/sign-in?problem=unverified");
  await set({ linksExisting: true });
  const { email_verified: _, ...silent } = attacker;
  expect((await come(silent)).at).toBe("/sign-in?problem=unverified");
  expect((await come({ ...attacker, email: undefined })).at).toBe("/sign-in?problem=noEmail");
  await it.signUpAs("operator", cookie);
  const operator = verified("operator", { groups: ["backup"] });
  expect((await come(operator)).user).toMatchObject({ name: "operator", role: "operator" });
  // The same address, but somebody else at the provider.
  expect((await come({ ...operator, sub: "operator-2" })).at).toBe("/sign-in?problem=otherIdentity");
});

test("without a claim roles are given here: an invitation's for who was invited, and nobody else comes", async () => {
  await set({ roleClaim: null, roleRules: [], otherwise: "refuse" });
  expect((await come(verified("jane"))).at).toBe("/sign-in?problem=noRole");
  await it.client(cookie).users.invite.mutate({ email: "jane@example.net", role: "operator" });
  expect((await come(verified("jane"))).user?.role).toBe("operator");
  const { users } = it.client(cookie);
  const { id } = (await users.list.query()).users.find(({ email }) => email === "jane@example.net") ?? { id: "" };
  await users.setRole.mutate({ id, role: "viewer" });
  expect((await come(verified("jane"))).user?.role).toBe("viewer");
  expect((await users.list.query()).invitations).toEqual([]);
});

const otherKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;
const falsehoods: [string, Falsified, string][] = [
  ["signed by another key", { key: otherKey }, "untrusted"],
  ["for another client", { claims: (told) => ({ ...told, aud: "somebody else" }) }, "untrusted"],
  ["of another issuer", { claims: (told) => ({ ...told, iss: "https://evil.example" }) }, "untrusted"],
  ["for another sign-in", { claims: (told) => ({ ...told, nonce: "another" }) }, "untrusted"],
  ["without a nonce", { claims: ({ nonce: _, ...told }) => told }, "untrusted"],
  ["that has ended", { claims: (told) => ({ ...told, iat: secondsAgo(900), exp: secondsAgo(300) }) }, "clock"],
];
test.each(falsehoods)("an ID token %s lets nobody in", async (_, falsified, problem) => {
  await set();
  provider.falsified = falsified;
  expect(await come(verified("kate"))).toMatchObject({ at: `/sign-in?problem=${problem}`, user: null });
  expect(await roleOf("kate@example.net")).toBeUndefined();
});

test("a small difference of the clocks is borne", async () => {
  await set();
  provider.falsified = { claims: (told) => ({ ...told, iat: secondsAgo(600), exp: secondsAgo(20) }) };
  expect((await come(verified("leo"))).at).toBe("/volumes");
});

test("an answer is taken once, by the browser that began, and only as it was asked for", async () => {
  await set();
  provider.person = verified("mary");
  const browser = new RedirectFollower();
  const returning = (url: URL) => url.pathname.endsWith("/callback");
  const callback = await browser.follow(it.origin + BEGIN, returning);
  const problemAt = async (url: URL, by: RedirectFollower) => (await by.follow(url.href)).search;
  expect(await problemAt(callback, new RedirectFollower())).toBe("?problem=stale");
  const other = new RedirectFollower();
  await other.follow(it.origin + BEGIN, (url) => url.origin === provider.issuer);
  expect(await problemAt(callback, other)).toBe("?problem=stale");
  // Its own state with a code that was given to another.
  const mixed = await other.follow(it.origin + BEGIN, returning);
  mixed.searchParams.set("code", callback.searchParams.get("code") ?? "");
  expect(await problemAt(mixed, other)).toBe("?problem=stale");
  const begun = await browser.follow(it.origin + BEGIN, returning);
  const before = browser.cookiesOf(it.origin);
  expect((await browser.follow(begun.href)).pathname).toBe("/");
  // Everything that the browser had when it came back, once more.
  const replayed = await fetch(begun, { redirect: "manual", headers: { cookie: before } });
  expect(replayed.headers.get("location")).toBe("/sign-in?problem=stale");
  expect(replayed.headers.getSetCookie().join()).not.toContain("session_token=");
});

test("a refusal by the provider, a wrong secret and a provider that is away are told apart", async () => {
  await set();
  const browser = new RedirectFollower();
  const waiting = await browser.follow(it.origin + BEGIN, (url) => url.origin === provider.issuer);
  const state = waiting.searchParams.get("state") ?? "";
  const declined = `${it.origin}/api/auth/single-sign-on/callback?error=access_denied&state=${state}&iss=${provider.issuer}`;
  expect((await browser.follow(declined)).search).toBe("?problem=declined");
  await set({ clientSecret: "not the one" });
  expect((await come(verified("nora"))).at).toBe("/sign-in?problem=client");
  await set();
  await provider.stop();
  try {
    expect(await it.client(cookie).singleSignOn.check.mutate()).toMatchObject({ ok: false });
    expect((await come(verified("nora"))).at).toBe("/sign-in?problem=unreachable");
  } finally {
    await provider.start(`${it.origin}/api/auth/single-sign-on/callback`);
  }
  expect((await come(verified("nora"))).at).toBe("/volumes");
});

test("it leads to places of this console alone", async () => {
  await set();
  for (const evil of ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"]) {
    expect((await come(verified("olga"), new RedirectFollower(), evil)).at).toBe("/");
  }
  expect((await come(verified("olga"), new RedirectFollower(), "/runs?page=2")).at).toBe("/runs?page=2");
});

test("an account's own second factor is asked for where the provider is not trusted with it", async () => {
  await set({ linksExisting: true });
  const own = await it.signUpAs("viewer", cookie);
  const enabled = await it.post("/api/auth/two-factor/enable", { password: "the viewer's password" }, { cookie: own });
  const secret = new URL((await enabled.json()).totpURI).searchParams.get("secret") ?? "";
  const shown = await it.post("/api/auth/two-factor/verify-totp", { code: await freshTotp(secret) }, { cookie: own });
  expect(shown.status).toBe(200);
  expect((await come(verified("viewer"))).at).toBe("/volumes");
  await set({ linksExisting: true, trustsSecondFactor: false });
  const half = await come(verified("viewer"));
  expect([half.at, half.user]).toEqual(["/sign-in/code?next=%2Fvolumes", null]);
  const code = await freshTotp(secret);
  const whole = await it.post(
    "/api/auth/two-factor/verify-totp",
    { code },
    { cookie: half.browser.cookiesOf(it.origin) },
  );
  expect(whole.status).toBe(200);
});

/** Puts the end of a person's sign-ins into the past. */
function endSessions(email: string): void {
  const db = new Sqlite(it.databaseFile);
  db.pragma("busy_timeout = 5000");
  const sql =
    "UPDATE Session SET endsAt = ? WHERE userId = (SELECT id FROM User WHERE email = ?) AND endsAt IS NOT NULL";
  expect(db.prepare(sql).run(new Date(Date.now() - 1000).toISOString(), email).changes).toBeGreaterThan(0);
  db.close();
}

test("a sign-in by the provider ends within the day, however it is used, and nothing can be done with it then", async () => {
  await set();
  const { browser, user } = await come(verified("paul", { groups: ["backup"] }));
  expect(user?.role).toBe("operator");
  const cookies = browser.cookiesOf(it.origin);
  const client = it.client(cookies);
  const [session] = await client.account.sessions.query();
  expect(session?.current).toBe(true);
  endSessions("paul@example.net");
  await expect(client.account.sessions.query()).rejects.toThrow("Sign in first");
  expect((await client.account.state.query()).signedIn).toBe(false);
  for (const path of ["two-factor/enable", "change-password"])
    expect((await it.post(`/api/auth/${path}`, {}, { cookie: cookies })).status).toBeGreaterThanOrEqual(400);
  const passkey = await fetch(`${it.origin}/api/auth/passkey/generate-register-options`, {
    headers: { cookie: cookies },
  });
  expect(passkey.status).toBe(401);
  // By a password it lasts as before.
  expect((await it.client(cookie).account.state.query()).signedIn).toBe(true);
  expect((await come(verified("paul", { groups: ["backup"] }), browser)).user?.role).toBe("operator");
});

test("who signs out is sent to sign out at the provider where the settings say so; the sign-in here is over at once", async () => {
  const leave = async (as: string) => {
    const response = await it.post("/api/auth/single-sign-on/leave", {}, { cookie: as });
    expect(response.status).toBe(200);
    expect((await it.client(as).account.state.query()).signedIn).toBe(false);
    return (await response.json()).url as string | null;
  };
  await set();
  expect(await leave((await come(verified("quinn"))).browser.cookiesOf(it.origin))).toBeNull();
  await set({ signsOut: true });
  const { browser } = await come(verified("quinn"));
  const url = new URL((await leave(browser.cookiesOf(it.origin))) ?? "");
  expect(url.origin).toBe(provider.issuer);
  expect(url.searchParams.get("post_logout_redirect_uri")).toBe(`${it.origin}/sign-in`);
  expect(url.searchParams.get("client_id")).toBe(CLIENT.id);
  // The provider takes it: it knows whose sign-in is meant, and where they go afterwards.
  const page = await fetch(url, { headers: { cookie: browser.cookiesOf(provider.issuer) } });
  expect([page.status, (await page.text()).includes("invalid_request")]).toEqual([200, false]);
  // By a password nobody is sent anywhere.
  expect(await leave(await it.signIn())).toBeNull();
});

test("who has no password sets up a second factor after a fresh sign-in; a code keeps the end of the day", async () => {
  await set({ trustsSecondFactor: false });
  const { browser } = await come(verified("rosa"));
  const twoFactor = (what: string, body: object) =>
    it.post(`/api/auth/two-factor/${what}`, body, { cookie: browser.cookiesOf(it.origin) });
  const db = new Sqlite(it.databaseFile);
  db.pragma("busy_timeout = 5000");
  db.prepare(
    "UPDATE Session SET createdAt = ? WHERE userId = (SELECT id FROM User WHERE email = 'rosa@example.net')",
  ).run(new Date(Date.now() - 11 * 60_000).toISOString());
  db.close();
  const stale = await twoFactor("enable", {});
  expect([stale.status, (await stale.json()).code]).toEqual([403, "SIGN_IN_AGAIN"]);
  // The provider is asked to make sure.
  const asked = await new RedirectFollower().follow(
    `${it.origin}${BEGIN}?anew=1`,
    ({ origin }) => origin === provider.issuer,
  );
  expect(asked.searchParams.get("prompt")).toBe("login");
  await come(verified("rosa"), browser);
  const enabled = await twoFactor("enable", {});
  expect(enabled.status).toBe(200);
  const secret = new URL((await enabled.json()).totpURI).searchParams.get("secret") ?? "";
  expect((await twoFactor("verify-totp", { code: await freshTotp(secret) })).status).toBe(200);

  const half = await come(verified("rosa"));
  expect([half.at, half.user]).toEqual(["/sign-in/code?next=%2Fvolumes", null]);
  const whole = await it.post(
    "/api/auth/two-factor/verify-totp",
    { code: await freshTotp(secret) },
    { cookie: half.browser.cookiesOf(it.origin) },
  );
  expect(whole.status).toBe(200);
  endSessions("rosa@example.net");
  const cookies = whole.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
  expect((await it.client(cookies).account.state.query()).signedIn).toBe(false);
});

test("where passwords are switched off a one-time link still lets in, and the last administrator stays one", async () => {
  await set({ linksExisting: true });
  const { email, password } = ADMINISTRATOR;
  const ada = verified("ada", { email });
  const groups = ["backup-admins"];
  const { users } = it.client(cookie);
  for (const user of (await users.list.query()).users) {
    if (user.email !== email && user.role === "administrator")
      await users.setRole.mutate({ id: user.id, role: "viewer" });
  }
  await expect(set({ localSignIn: false })).rejects.toThrow("First sign in by the provider yourself");
  // No group makes them a viewer, but nobody else manages users.
  expect((await come(ada)).user?.role).toBe("administrator");
  expect((await audit())[1]).toMatchObject({ action: "account.roleByProvider", outcome: "refused" });
  await set({ localSignIn: false });
  expect(await it.client(null).account.signInWays.query()).toEqual({
    local: false,
    passkeyHost: null,
    singleSignOn: "Example",
  });
  const refused = await it.post("/api/auth/sign-in/email", { email, password });
  expect([refused.status, (await refused.json()).code]).toEqual([403, "LOCAL_SIGN_IN_OFF"]);
  expect((await come({ ...ada, groups })).at).toBe("/volumes");
  // What the command line prints.
  const { link } = await users.passwordLink.mutate({ email });
  const token = new URL(link).searchParams.get("token") ?? "";
  await it.client(null).account.setPassword.mutate({ token, password: "another good password" });
  cookie = await it.signIn({ email, password: "another good password" });
  expect((await it.client(cookie).account.state.query()).user?.role).toBe("administrator");
  // Who has come by the provider alone is given a password by it.
  const made = await it.client(cookie).users.passwordLink.mutate({ email: "jane@example.net" });
  const hers = new URL(made.link).searchParams.get("token") ?? "";
  await it.client(null).account.setPassword.mutate({ token: hers, password: "jane's first password" });
  const jane = await it.signIn({ email: "jane@example.net", password: "jane's first password" });
  expect((await it.client(jane).account.safety.query()).hasPassword).toBe(true);
  await set({ enabled: false });
  cookie = await it.signIn({ email, password: "another good password" });
});
