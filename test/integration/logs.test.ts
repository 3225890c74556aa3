/** What console and worker write into their logs: one JSON document a line, and no secret in it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { freePort } from "../fixtures/console-under-test";
import { Installation } from "../fixtures/installation";

const cleanup = cleanupAfterEach();

test("each line of a log is one document, and none holds a password, a key or a link's token", async () => {
  const port = await freePort();
  const here = await Installation.start(cleanup, { programs: { upOnPort: port } });
  const base = `http://127.0.0.1:${port}`;
  const token = new URL(readFileSync(join(here.home, "console", "signin-link"), "utf8").trim()).searchParams.get(
    "token",
  );
  const keys = ["console/secret.key", "worker/worker.key"].map((file) =>
    readFileSync(join(here.home, file), "utf8").trim(),
  );
  const secrets = ["analytical engine", "wrong wrong wrong", "a client's own secret", "restic's own password"];
  const post = (path: string, body: object, cookie = "") =>
    fetch(base + path, {
      method: "POST",
      headers: { "content-type": "application/json", origin: base, cookie },
      body: JSON.stringify(body),
    });
  const [password = "", wrong, clientSecret, repository = ""] = secrets;
  const email = "ada@example.org";
  await post("/api/trpc/account.create", { json: { token, name: "Ada", email, password } });
  await post("/api/auth/sign-in/email", { email, password: wrong });
  const signedIn = await post("/api/auth/sign-in/email", { email, password });
  expect(signedIn.status).toBe(200);
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  const settings = {
    enabled: true,
    label: "Example",
    issuer: "http://127.0.0.1:9",
    clientId: "console",
    clientSecret,
    scopes: ["openid"],
    roleClaim: null,
    roleRules: [],
    otherwise: "refuse",
    emailDomains: [],
    linksExisting: false,
    assumesVerified: false,
    trustsSecondFactor: true,
    localSignIn: true,
    signsOut: false,
  };
  expect((await post("/api/trpc/singleSignOn.set", { json: settings }, cookie)).status).toBe(200);
  await fetch(`${base}/api/auth/single-sign-on/begin`, { redirect: "manual" });
  await fetch(`${base}/sign-in`);
  await here.must("practice", "create", "alpha", "--size", "64M");
  const file = here.file("password", repository);
  const job = ["--name", "Nightly", "--volume", "alpha", "--restic", here.path("repository"), "--password-file", file];
  await here.must("job", "create", ...job, "--min-quiet", "0");
  await here.must("job", "run", "Nightly", "--wait");
  await here.stopPrograms();
  for (const program of ["console", "worker"]) {
    const text = readFileSync(join(here.home, "log", `${program}.log`), "utf8");
    const lines = text.split("\n").filter((line) => line !== "");
    expect(lines.length, program).toBeGreaterThan(0);
    expect(lines.filter((line) => !isDocument(line))).toEqual([]);
    for (const secret of [...secrets, ...keys, token ?? ""]) expect(text.includes(secret), program).toBe(false);
    const sessionToken = decodeURIComponent(/session_token=([^;.]+)/.exec(cookie)?.[1] ?? "none");
    expect(text.includes(sessionToken), program).toBe(false);
  }
});

function isDocument(line: string): boolean {
  try {
    const { level, time, msg } = JSON.parse(line);
    return level !== undefined && time !== undefined && typeof msg === "string";
  } catch {
    return false;
  }
}
