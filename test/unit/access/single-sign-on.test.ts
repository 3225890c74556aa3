import { expect, test } from "vitest";
import { admit, claimAt } from "@/server/core/access/single-sign-on";
import { targetOf } from "@/server/core/access/target";
import { issuerSchema, type SingleSignOnSettings, singleSignOnSchema } from "@/server/core/contracts/single-sign-on";

const settings = (change: Partial<SingleSignOnSettings> = {}): SingleSignOnSettings =>
  singleSignOnSchema.parse({
    enabled: true,
    label: "Example",
    issuer: "https://login.example.net",
    clientId: "console",
    scopes: ["openid"],
    roleClaim: "groups",
    roleRules: [
      { value: "staff", role: "viewer" },
      { value: "admins", role: "administrator" },
      { value: "backup", role: "operator" },
    ],
    otherwise: "refuse",
    emailDomains: [],
    linksExisting: false,
    assumesVerified: false,
    trustsSecondFactor: true,
    localSignIn: true,
    ...change,
  });
const ada = { email: "Ada@Example.net", email_verified: true, name: " Ada ", groups: ["backup", "staff"] };

test("the highest role of the groups counts; without a rule that fits it is the one for all others, or none", () => {
  expect(admit(settings(), ada)).toMatchObject({ email: "ada@example.net", name: "Ada", role: "operator" });
  expect(admit(settings(), { ...ada, groups: "admins" })).toMatchObject({ role: "administrator" });
  for (const groups of [[], undefined, ["Admins"], [{ value: "admins" }], { admins: true }]) {
    expect(admit(settings(), { ...ada, groups })).toMatchObject({ ok: false, problem: "noRole" });
    expect(admit(settings({ otherwise: "viewer" }), { ...ada, groups })).toMatchObject({ ok: true, role: "viewer" });
  }
});

test("a claim is found by its own name before dots lead into an object", () => {
  expect(claimAt({ "https://example.net/groups": "a" }, "https://example.net/groups")).toBe("a");
  expect(claimAt({ realm_access: { roles: ["a"] } }, "realm_access.roles")).toEqual(["a"]);
  expect(claimAt({ "a.b": 1, a: { b: 2 } }, "a.b")).toBe(1);
  for (const path of ["__proto__", "constructor.name", "a.b.c", ""])
    expect(claimAt({ a: { b: "x" } }, path)).toBe(undefined);
});

test("an address is verified when the provider says so, and by assumption only when it says nothing", () => {
  const problem = (verified: unknown, assumesVerified = false) => {
    const found = admit(settings({ assumesVerified }), { ...ada, email_verified: verified });
    return found.ok ? null : found.problem;
  };
  expect([problem(true), problem("true"), problem(undefined, true)]).toEqual([null, null, null]);
  for (const told of [undefined, null, false, "false", 1, "yes"]) expect(problem(told)).toBe("unverified");
  for (const told of [null, false, "false"]) expect(problem(told, true)).toBe("unverified");
});

test("only whole domains count, the last one of the address", () => {
  const problem = (email: string) => {
    const found = admit(settings({ emailDomains: ["example.net"] }), { ...ada, email });
    return found.ok ? null : found.problem;
  };
  expect(problem("ada@EXAMPLE.net")).toBeNull();
  for (const email of ["ada@sub.example.net", "ada@notexample.net", "ada@example.net.evil.example"]) {
    expect(problem(email)).toBe("domain");
  }
  for (const email of ["ada", "@example.net", "ada@example.net@evil.example", "a da@example.net"]) {
    expect(problem(email)).toBe("noEmail");
  }
});

test("an issuer is reached by TLS, unless it is on this machine", () => {
  const takes = (address: string) => issuerSchema.safeParse(address).success;
  expect(["https://a.example/realms/x", "http://127.0.0.1:8080", "http://localhost"].map(takes)).toEqual([
    true,
    true,
    true,
  ]);
  for (const address of [
    "http://a.example",
    "http://127.0.0.1.evil.example",
    "https://user:word@a.example",
    "https://a.example/?x",
    "https://a.example/.well-known/openid-configuration",
    "ftp://a.example",
    "nonsense",
  ]) {
    expect(takes(address), address).toBe(false);
  }
});

test("a sign-in leads to a place of this console, however it is written", () => {
  expect(targetOf("/runs?page=2#top")).toBe("/runs?page=2#top");
  for (const next of [
    null,
    "",
    "runs",
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/.//evil.example",
  ]) {
    expect(targetOf(next), String(next)).toBe("/");
  }
});
