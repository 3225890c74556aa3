/** The console by an own certificate: what it serves, how a renewed one comes into use, what a bad file says. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import os from "node:os";
import path from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ADMINISTRATOR, ConsoleUnderTest, eventually, freePort } from "../fixtures/console-under-test";
import { type Certificates, makeCertificates } from "../fixtures/tls-certificates";

let directory: string;
let first: Certificates;
let second: Certificates;
let it: ConsoleUnderTest;
let port: number;
const file = (name: string) => path.join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), "stillframe-tls-"));
  first = await makeCertificates(file("first"));
  second = await makeCertificates(file("second"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach(async () => {
  it = new ConsoleUnderTest();
  port = await freePort();
  copyFileSync(first.serverCertificate, file("cert.pem"));
  copyFileSync(first.serverKey, file("key.pem"));
});
afterEach(() => it.remove());

const start = () =>
  it.start({
    STILLFRAME_TLS_CERT: file("cert.pem"),
    STILLFRAME_TLS_KEY: file("key.pem"),
    STILLFRAME_TLS_PORT: String(port),
  });

type Answer = { status: number; cookies: string[]; transport?: string };

/** As a browser that trusts this authority; fails when the certificate is not by it. */
function ask(authority: string, pathname: string, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      path: pathname,
      method: body ? "POST" : "GET",
      ca: readFileSync(authority),
      agent: false,
      headers: { "content-type": "application/json", origin: `https://127.0.0.1:${port}` },
    });
    asked.on("response", (response) => {
      response.resume();
      expect((response.socket as TLSSocket).authorized).toBe(true);
      resolve({
        status: response.statusCode ?? 0,
        cookies: response.headers["set-cookie"] ?? [],
        transport: response.headers["strict-transport-security"],
      });
    });
    asked.on("error", reject);
    asked.end(body && JSON.stringify(body));
  });
}

test("it is served by the certificate, and cookies are for TLS alone", async () => {
  await start();
  // A browser comes by TLS from then on.
  const transport = expect.stringMatching(/^max-age=\d{8}$/);
  expect(await ask(first.authority, "/healthz")).toMatchObject({ status: 200, transport });
  expect((await fetch(`${it.origin}/healthz`)).headers.get("strict-transport-security")).toBeNull();
  await expect(ask(second.authority, "/healthz")).rejects.toThrow();
  await it.client(null).account.create.mutate({ token: it.signInToken() ?? "", ...ADMINISTRATOR });
  const { email, password } = ADMINISTRATOR;
  const { status, cookies } = await ask(first.authority, "/api/auth/sign-in/email", { email, password });
  expect(status).toBe(200);
  expect(cookies.filter((cookie) => cookie.includes("session_token"))).toEqual([
    expect.stringMatching(/^__Secure-stillframe\.session_token=.*; Secure/),
  ]);
});

test("a renewed certificate comes into use by itself; a bad one leaves the one before", async () => {
  await start();
  writeFileSync(file("cert.pem"), "half written");
  expect(await ask(first.authority, "/healthz")).toMatchObject({ status: 200 });
  copyFileSync(second.serverKey, file("key.pem"));
  copyFileSync(second.serverCertificate, file("cert.pem"));
  await eventually(() => ask(second.authority, "/healthz").catch(() => null), 60_000);
});

test("a file that is missing, no certificate, or of another key is named", async () => {
  rmSync(file("key.pem"));
  await expect(start()).rejects.toThrow(`the key in ${file("key.pem")} cannot be read`);
  copyFileSync(second.serverKey, file("key.pem"));
  await expect(start()).rejects.toThrow(`${file("key.pem")} does not belong to the certificate in ${file("cert.pem")}`);
  writeFileSync(file("cert.pem"), "nothing");
  await expect(start()).rejects.toThrow(`${file("cert.pem")} does not hold a certificate in PEM`);
  await expect(it.start({ STILLFRAME_TLS_CERT: file("cert.pem") })).rejects.toThrow("belong together");
});
