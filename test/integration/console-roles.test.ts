/** What each role may do, over the real API; who is let in, changed and removed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { may, type Role, roles } from "@/server/core/access/permissions";
import { procedures } from "../fixtures/console-procedures";
import { ADMINISTRATOR, ConsoleUnderTest } from "../fixtures/console-under-test";

let it: ConsoleUnderTest;
const cookies = {} as Record<Role, string>;
beforeAll(async () => {
  it = new ConsoleUnderTest();
  await it.start();
  cookies.administrator = await it.signUp();
  cookies.viewer = await it.signUpAs("viewer", cookies.administrator);
  cookies.operator = await it.signUpAs("operator", cookies.administrator);
});
afterAll(() => it.remove());

const changes = (role: Role) =>
  procedures
    .filter(({ type, permission }) => type === "mutation" && permission !== null && may(role, permission))
    .map(({ path }) => path);

test("a viewer changes nothing but what is their own, an operator only what runs and troubleshoots", () => {
  const own = [
    "account.endSession",
    "account.endOtherSessions",
    "account.renamePasskey",
    "account.removePasskey",
    "articles.feedback",
  ];
  const running = ["jobs.run", "jobs.setPaused", "runs.cancel"];
  const troubleshooting = [
    "cache.removeOrphans",
    "failures.acknowledge",
    "failures.act",
    "failures.diagnostics",
    "failures.takeBack",
    "hosts.diagnostics",
    "hosts.doctor",
    "hosts.repair",
    "hosts.restartEngine",
    "hosts.restartWorker",
  ];
  expect(changes("viewer").sort()).toEqual([...own].sort());
  expect(changes("operator").sort()).toEqual([...own, ...running, ...troubleshooting].sort());
});

test.each(roles)("every procedure answers a role that may, and refuses one that may not: %s", async (role) => {
  const wrong: string[] = [];
  for (const { path, type, permission } of procedures) {
    // A subscription that is allowed goes on for ever; all of them only look.
    if (permission === null || type === "subscription") continue;
    const url = `/api/trpc/${path}`;
    const headers = { cookie: cookies[role] };
    const response =
      type === "mutation" ? await it.post(url, { json: {} }, headers) : await fetch(it.origin + url, { headers });
    const refused = response.status === 403;
    if (refused === may(role, permission) || response.status === 401) wrong.push(`${path} ${response.status}`);
  }
  expect(wrong).toEqual([]);
});

test("who may not is told which role it takes", async () => {
  const { jobs } = it.client(cookies.viewer);
  await expect(jobs.run.mutate({ id: "any" })).rejects.toThrow("This needs the role operator; yours is viewer.");
  const { failures } = it.client(cookies.operator);
  await expect(failures.act.mutate({ id: "any", action: "allowLocation" })).rejects.toThrow("administrator");
  await expect(failures.act.mutate({ id: "any", action: "rerun" })).rejects.toThrow(/no .*failure/i);
});

test("an invitation lets in the one it is for, once, in its role; withdrawn or replaced it lets in nobody", async () => {
  const { users } = it.client(cookies.administrator);
  const { account } = it.client(null);
  const token = (link: string) => new URL(link).searchParams.get("token") ?? "";
  const first = token((await users.invite.mutate({ email: "Grace@Example.net", role: "viewer" })).link);
  const second = token((await users.invite.mutate({ email: "grace@example.net", role: "operator" })).link);
  expect(await account.link.query({ token: first })).toBeNull();
  expect(await account.link.query({ token: second })).toEqual({
    purpose: "account",
    role: "operator",
    email: "grace@example.net",
  });
  expect((await users.list.query()).invitations).toMatchObject([
    { email: "grace@example.net", role: "operator", invitedBy: ADMINISTRATOR.email },
  ]);
  const grace = { name: "Grace", email: "somebody@else.example", password: "a fine long password" };
  await account.create.mutate({ token: second, ...grace });
  await expect(account.create.mutate({ token: second, ...grace })).rejects.toThrow("not valid any more");
  const cookie = await it.signIn({ email: "grace@example.net", password: grace.password });
  expect((await it.client(cookie).account.state.query()).user).toMatchObject({ role: "operator", name: "Grace" });
  await expect(users.invite.mutate({ email: "grace@example.net", role: "viewer" })).rejects.toThrow("has an account");

  const third = token((await users.invite.mutate({ email: "late@example.net", role: "viewer" })).link);
  await users.withdraw.mutate({ email: "late@example.net" });
  await expect(account.create.mutate({ token: third, ...grace })).rejects.toThrow("not valid any more");
  await expect(users.withdraw.mutate({ email: "late@example.net" })).rejects.toThrow("no open invitation");
});

test("who forgot their password chooses a new one by a link, once, and their sign-ins end", async () => {
  const { users } = it.client(cookies.administrator);
  const { account } = it.client(null);
  await expect(users.passwordLink.mutate({ email: "nobody@example.net" })).rejects.toThrow("no user");
  const made = await users.passwordLink.mutate({ email: "viewer@example.net" });
  const token = new URL(made.link).searchParams.get("token") ?? "";
  expect(await account.link.query({ token })).toMatchObject({ purpose: "password", email: "viewer@example.net" });
  expect((await users.list.query()).invitations).toEqual([]);
  const person = { name: "Mallory", email: "viewer@example.net", password: "a fine long password" };
  await expect(account.create.mutate({ token, ...person })).rejects.toThrow("not valid any more");
  await account.setPassword.mutate({ token, password: "a better password" });
  await expect(account.setPassword.mutate({ token, password: "a better password" })).rejects.toThrow("not valid");
  expect((await it.client(cookies.viewer).account.state.query()).signedIn).toBe(false);
  cookies.viewer = await it.signIn({ email: "viewer@example.net", password: "a better password" });
  // It is no invitation: withdrawing one leaves it open.
  const again = new URL((await users.passwordLink.mutate({ email: "viewer@example.net" })).link).searchParams;
  await expect(users.withdraw.mutate({ email: "viewer@example.net" })).rejects.toThrow("no open invitation");
  expect(await account.link.query({ token: again.get("token") ?? "" })).toMatchObject({ purpose: "password" });
});

test("a role that is taken away counts at once, and so does an account that is removed", async () => {
  const { users } = it.client(cookies.administrator);
  const id = async (email: string) => (await users.list.query()).users.find((user) => user.email === email)?.id ?? "";
  const operator = await id("operator@example.net");
  const asOperator = it.client(cookies.operator);
  await users.setRole.mutate({ id: operator, role: "viewer" });
  await expect(asOperator.jobs.run.mutate({ id: "any" })).rejects.toThrow("yours is viewer");
  await users.setRole.mutate({ id: operator, role: "operator" });
  await expect(asOperator.jobs.run.mutate({ id: "any" })).rejects.toThrow(/no .*job/i);
  await users.remove.mutate({ id: operator });
  await expect(asOperator.jobs.list.query()).rejects.toThrow("Sign in first");
  await expect(users.remove.mutate({ id: operator })).rejects.toThrow("no such user");
});

test("the only administrator can be neither removed nor demoted", async () => {
  const { users } = it.client(cookies.administrator);
  const own = (await users.list.query()).users.find((user) => user.email === ADMINISTRATOR.email)?.id ?? "";
  await expect(users.remove.mutate({ id: own })).rejects.toThrow("only administrator");
  await expect(users.setRole.mutate({ id: own, role: "viewer" })).rejects.toThrow("only administrator");
});

test("sign-ins are listed, and end one by one or all but this", async () => {
  const here = it.client(cookies.administrator);
  const elsewhere = [await it.signIn(), await it.signIn(), await it.signIn()];
  const listed = await here.account.sessions.query();
  expect(listed.filter((session) => session.current)).toHaveLength(1);
  const count = listed.length;
  await here.account.endSession.mutate({ id: listed.find((session) => !session.current)?.id ?? "" });
  expect(await here.account.sessions.query()).toHaveLength(count - 1);
  // Somebody else's cannot be ended.
  const other = it.client(cookies.viewer);
  await expect(other.account.endSession.mutate({ id: listed[0]?.id ?? "" })).rejects.toThrow("has ended already");
  expect(await here.account.endOtherSessions.mutate()).toEqual({ ended: count - 2 });
  for (const cookie of elsewhere) expect((await it.client(cookie).account.state.query()).signedIn).toBe(false);
});
