/** Mail to a server that encrypts: by an authority that the console's host trusts, or not at all. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Target } from "@/server/core/contracts/notifications";
import { Cleanup } from "../fixtures/cleanup";
import { ConsoleUnderTest } from "../fixtures/console-under-test";
import { MailReceiver } from "../fixtures/notification-receivers";
import { type Certificates, makeCertificates } from "../fixtures/tls-certificates";

const whole = new Cleanup();
const user = { name: "stillframe", password: "the mail password" };
let trusted: Certificates;
let unknown: Certificates;
let client: ReturnType<ConsoleUnderTest["client"]>;

beforeAll(async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "stillframe-mail-"));
  whole.add("remove the certificates", () => rmSync(directory, { recursive: true, force: true }));
  trusted = await makeCertificates(path.join(directory, "trusted"));
  unknown = await makeCertificates(path.join(directory, "unknown"));
  const it = new ConsoleUnderTest();
  whole.add("remove the console", () => it.remove());
  // As an administrator makes a company's own authority known to the console.
  await it.startProcess({ NODE_EXTRA_CA_CERTS: trusted.authority });
  client = it.client(await it.signUp());
});
afterAll(() => whole.run());

/** Makes a channel of this kind to a server with these certificates and presses its test button. */
async function tell(by: Certificates, security: "tls" | "starttls") {
  const receiver = await MailReceiver.start(whole, user, { by, fromTheStart: security === "tls" });
  const { id } = await client.notifications.create.mutate({
    name: `mail to ${receiver.port}`,
    enabled: true,
    target: {
      kind: "email",
      host: "127.0.0.1",
      port: receiver.port,
      security,
      user: user.name,
      from: "backup@example.net",
      to: ["ops@example.net"],
    } satisfies Target,
    tells: ["failed"],
    jobIds: null,
    quietMinutes: 0,
    secret: user.password,
  });
  return { receiver, answer: await client.notifications.test.mutate({ id }) };
}

test.each(["tls", "starttls"] as const)(
  "a server that is trusted gets password and mail encrypted: %s",
  async (security) => {
    const { receiver, answer } = await tell(trusted, security);
    expect(answer).toEqual({ ok: true, answer: "250 taken" });
    expect(receiver.received).toMatchObject([{ encrypted: true, user: user.name, to: ["ops@example.net"] }]);
  },
);

test.each(["tls", "starttls"] as const)("a server by another authority gets neither: %s", async (security) => {
  const { receiver, answer } = await tell(unknown, security);
  expect(answer).toEqual({ ok: false, answer: expect.stringMatching(/certificate/i) });
  expect(receiver.signIns).toBe(0);
  expect(receiver.received).toEqual([]);
});
