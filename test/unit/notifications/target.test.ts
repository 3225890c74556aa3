import { describe, expect, test } from "vitest";
import { type Target, targetSchema } from "@/server/core/contracts/notifications";
import { secretProblem, sendsSecretElsewhere, signingKey, signingSecretOf } from "@/server/core/notifications/target";

const email = {
  kind: "email",
  host: "mail.example.net",
  port: 587,
  security: "starttls",
  user: "stillframe",
  from: "backup@example.net",
  to: ["ops@example.net"],
} as const satisfies Target;

const problems = (target: unknown) => targetSchema.safeParse(target).error?.issues.map(({ message }) => message) ?? [];

describe("a target", () => {
  test("signs in over an encrypted connection only, or on this machine", () => {
    expect(problems(email)).toEqual([]);
    expect(problems({ ...email, security: "none" })).toEqual(["a password is sent over TLS or STARTTLS only"]);
    expect(problems({ ...email, security: "none", user: null })).toEqual([]);
    expect(problems({ ...email, security: "none", host: "localhost" })).toEqual([]);
  });

  test("is an http address without a password in it", () => {
    expect(problems({ kind: "webhook", url: "https://example.net/hook?a=b@c" })).toEqual([]);
    expect(problems({ kind: "webhook", url: "https://me:secret@example.net/hook" })).toHaveLength(1);
    expect(problems({ kind: "webhook", url: "file:///etc/passwd" })).toHaveLength(1);
    expect(problems({ kind: "ntfy", server: "https://ntfy.sh", topic: "a/b" })).toHaveLength(1);
  });
});

test("a signing secret that was made is one that is taken", () => {
  const made = signingSecretOf(crypto.getRandomValues(new Uint8Array(32)));
  expect(secretProblem("webhook", made)).toBeNull();
  expect(Buffer.from(signingKey(made) ?? "", "base64")).toHaveLength(32);
  for (const wrong of ["", "hunter2", "whsec_", "whsec_c2hvcnQ=", `whsec_${"A".repeat(200)}`, made.slice(0, -1)]) {
    expect(secretProblem("webhook", wrong), wrong).not.toBeNull();
  }
});

test("a secret that would go to another server than it was entered for is noticed", () => {
  expect(sendsSecretElsewhere(email, { ...email, to: ["other@example.net"] })).toBe(false);
  expect(sendsSecretElsewhere(email, { ...email, host: "mail.example.org" })).toBe(true);
  expect(sendsSecretElsewhere(email, { ...email, security: "tls" })).toBe(true);
});
