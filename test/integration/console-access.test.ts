/** Who gets in. The router is enumerated, so a procedure that is added without a guard fails here. */
import { statSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { procedures } from "../fixtures/console-procedures";
import { ADMINISTRATOR, ConsoleUnderTest, eventually } from "../fixtures/console-under-test";

/** What they answer to a request without input. */
const OPEN = [
  "account.create 400",
  "account.link 400",
  "account.setPassword 400",
  "account.signInWays 200",
  "account.state 200",
];

let it: ConsoleUnderTest;
beforeEach(async () => {
  it = new ConsoleUnderTest();
  await it.start();
});
afterEach(() => it.remove());

test("every procedure but those of the one-time link refuses a stranger", async () => {
  expect(procedures.length).toBeGreaterThan(30);
  const open: string[] = [];
  for (const { path, type } of procedures) {
    const url = `/api/trpc/${path}`;
    const response = type === "mutation" ? await it.post(url, { json: {} }) : await fetch(it.origin + url);
    const body = await response.text();
    // A subscription over HTTP answers 200 with the refusal as its first and last event.
    const refused = type === "subscription" ? body.includes('"UNAUTHORIZED"') : response.status === 401;
    if (!refused) open.push(`${path} ${response.status}`);
  }
  expect(open.sort()).toEqual(OPEN);
});

test("sockets want a session and this console's own pages, or a host's key", async () => {
  const cookie = await it.signUp();
  const { origin } = it;
  expect(await it.upgradeStatus("/api/ws", { cookie, origin })).toBe(101);
  expect(await it.upgradeStatus("/api/ws", { origin })).toBe(401);
  expect(await it.upgradeStatus("/api/ws", { cookie, origin: "http://evil.example" })).toBe(403);
  expect(await it.upgradeStatus("/api/ws", { cookie, origin: "null" })).toBe(403);
  expect(await it.upgradeStatus("/api/ws", { cookie })).toBe(403);
  expect(await it.upgradeStatus("/api/worker", { authorization: `Bearer ${it.hostKey}` })).toBe(101);
  expect(await it.upgradeStatus("/api/worker", { authorization: "Bearer guessed" })).toBe(401);
  expect(await it.upgradeStatus("/api/worker", { cookie, origin })).toBe(401);
  expect(await it.upgradeStatus("/_next/webpack-hmr", { cookie, origin })).toBe(404);
  expect(await it.upgradeStatus("/anything", { cookie, origin })).toBe(404);
});

test("the one-time link makes one administrator, once, and survives a restart before that", async () => {
  const token = it.signInToken();
  await it.stop();
  await it.start();
  expect(it.signInToken()).toBe(token);
  expect(statSync(`${it.home}/console/signin-link`).mode & 0o777).toBe(0o600);
  expect(statSync(`${it.home}/console/secret.key`).mode & 0o777).toBe(0o600);
  const { account } = it.client(null);
  expect(await account.state.query()).toEqual({ needsSetup: true, signedIn: false, user: null });
  const guess = { token: "guess", ...ADMINISTRATOR };
  await expect(account.create.mutate(guess)).rejects.toThrow("not valid any more");
  const given = { token: token ?? "", ...ADMINISTRATOR };
  await expect(account.create.mutate({ ...given, password: "short" })).rejects.toThrow("at least 10");
  const cookie = await it.signUp();
  await expect(account.create.mutate(given)).rejects.toThrow("not valid any more");
  expect(await it.client(cookie).account.state.query()).toEqual({
    needsSetup: false,
    signedIn: true,
    user: { name: ADMINISTRATOR.name, email: ADMINISTRATOR.email, role: "administrator" },
  });
});

test("nobody can sign up, and a page of another site can change nothing", async () => {
  const cookie = await it.signUp();
  const mallory = { name: "Mallory", email: "mallory@example.net", password: "correct horse battery" };
  expect((await it.post("/api/auth/sign-up/email", mallory)).status).toBe(404);
  const settings = { json: { oneAtATime: true } };
  const foreign = await it.post("/api/trpc/settings.set", settings, { cookie, origin: "http://evil.example" });
  expect(foreign.status).toBe(403);
  expect((await it.post("/api/trpc/settings.set", settings, { cookie })).status).toBe(200);
});

test("guessing passwords is stopped, also when the client claims other addresses", async () => {
  await it.signUp();
  const guess = { email: ADMINISTRATOR.email, password: "wrong wrong wrong" };
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) {
    const spoofed = { "x-forwarded-for": `10.0.0.${i}`, "x-stillframe-client-address": `10.0.1.${i}` };
    statuses.push((await it.post("/api/auth/sign-in/email", guess, spoofed)).status);
  }
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
});

test("signing out ends sockets that are open", async () => {
  const cookie = await it.signUp();
  const client = it.client(cookie);
  let heard = 0;
  let failed = "";
  client.live.volumes.subscribe(undefined, {
    onData: () => {
      heard++;
    },
    onConnectionStateChange: ({ error }) => {
      failed = error?.message ?? failed;
    },
  });
  await eventually(() => heard > 0);
  expect((await it.post("/api/auth/single-sign-on/leave", {}, { cookie })).status).toBe(200);
  await eventually(() => failed !== "");
  expect(await it.upgradeStatus("/api/ws", { cookie, origin: it.origin })).toBe(401);
});

test("no answer can be framed or guessed at", async () => {
  const { headers } = await fetch(`${it.origin}/healthz`);
  expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  await it.signUp();
  const signedIn = await it.post("/api/auth/sign-in/email", ADMINISTRATOR);
  expect(signedIn.headers.get("set-cookie")).toMatch(/HttpOnly; SameSite=Lax/);
});

test("each answer allows the scripts of a nonce of its own, and no other inline ones", async () => {
  const nonces = await Promise.all(
    ["/healthz", "/jobs", "/api/nothing"].map(async (path) => {
      const { headers } = await fetch(it.origin + path, { headers: { "content-security-policy": "script-src *" } });
      const policy = headers.get("content-security-policy") ?? "";
      const [, scripts, nonce] = /script-src ([^;]*'nonce-([^']+)'[^;]*);/.exec(policy) ?? [];
      expect(scripts).not.toContain("unsafe");
      return nonce;
    }),
  );
  expect(new Set(nonces).size).toBe(3);
});
