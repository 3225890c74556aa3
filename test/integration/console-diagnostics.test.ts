/**
 * Diagnostics bundles over the real API: secrets are planted wherever a bundle gets its content from, and looked for in
 * every file of it. The worker is a scripted peer that takes nothing out of what it tells, as one that is careless.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { strFromU8, unzipSync } from "fflate";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ADMINISTRATOR, eventually } from "../fixtures/console-under-test";
import { jobInput, logLine, started, volume } from "../fixtures/link-documents";
import { type LinkedConsole, linkedConsole } from "../fixtures/linked-console";

/** Nothing but their being stored as secrets gives these away. */
const STORED = ["zebra under the piano", 'quo"te\\d lantern', "mail-job-pass"];
/** Not known to the console: by their names and forms. */
const UNKNOWN = "unknown2me&0";
const COMMAND = "tar c . | gpg -c --batch violet-walrus";

let linked: LinkedConsole;
let { it, worker, client, hostId } = {} as LinkedConsole;

beforeEach(async () => {
  linked = await linkedConsole(volume("data"), volume("db"));
  ({ it, worker, client, hostId } = linked);
});
afterEach(() => linked?.remove());

const everywhere = (what: string) =>
  [
    `${what}: ${STORED.join(" and ")} were tried`,
    `RESTIC_PASSWORD=${UNKNOWN} and --secret-key ${UNKNOWN}`,
    `ran ${COMMAND}`,
    JSON.stringify({ headers: { authorization: `Bearer ${UNKNOWN}` }, env: STORED, hostKey: it.hostKey }),
    `stillframe://worker:${UNKNOWN}@console/`,
    STORED.map((secret) => `${encodeURIComponent(secret)} ${Buffer.from(secret).toString("base64")}`).join(" "),
  ].join("\n");

/** A failed run with secrets in all that its worker says; returns its failure's id. */
async function failedRun(jobId: string): Promise<string> {
  const { runId } = await client.jobs.run.mutate({ id: jobId });
  const at = new Date().toISOString();
  worker.emit(
    runId,
    started("data"),
    logLine(everywhere("log")),
    {
      type: "failure",
      at,
      code: "SF-103",
      volume: "data",
      message: everywhere("message"),
      evidence: { exitCode: 7, outputLines: everywhere("evidence").split("\n"), environment: { apiToken: UNKNOWN } },
    },
    { type: "ended", at, outcome: "failed", code: "SF-103" },
  );
  await eventually(() => worker.outbox.length === 0);
  return (await client.failures.list.query())[0]?.id ?? "";
}

function contents({ zip }: { zip: string }): Map<string, string> {
  const files = unzipSync(Buffer.from(zip, "base64"));
  return new Map(Object.entries(files).map(([name, bytes]) => [name.replace(/^[^/]+\//, ""), strFromU8(bytes)]));
}

test("a bundle holds what is needed to understand a failure, and none of the secrets planted in all of it", async () => {
  const nightly = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"], { password: STORED[0] ?? "" }));
  await client.jobs.create.mutate(jobInput(hostId, "Hourly", ["db"], { password: STORED[1] ?? "" }));
  await client.jobs.create.mutate(jobInput(hostId, "Mail", ["db"], { password: STORED[2] ?? "" }));
  await client.jobs.create.mutate(
    jobInput(hostId, "Command", ["db"], { destination: { kind: "command", command: COMMAND }, password: undefined }),
  );
  const names = [
    "facts.json",
    "doctor.json",
    "volumes.json",
    "kernel.log",
    "worker.log",
    "engines/data-1.log",
    "mountinfo",
  ];
  worker.answers["host.diagnostics"] = () => ({ files: names.map((name) => ({ name, text: everywhere(name) })) });
  mkdirSync(path.join(it.home, "log"), { recursive: true });
  writeFileSync(path.join(it.home, "log", "console.log"), everywhere("console"));
  const failure = await failedRun(nightly.id);

  for (const bundle of [
    await client.failures.diagnostics.mutate({ id: failure }),
    await client.hosts.diagnostics.mutate({ hostId }),
  ]) {
    const files = contents(bundle);
    for (const name of names) expect(files.get(`host/${name}`), name).toContain(`${name}: [removed]`);
    for (const name of ["versions.json", "host.json", "settings.json", "jobs.json", "runs.jsonl", "failures.jsonl"]) {
      expect(files.get(`console/${name}`), name).toBeTruthy();
    }
    expect(files.get("console/console.log")).toContain("console: [removed]");
    const leaks = [...files].flatMap(([name, text]) =>
      [...STORED, ...STORED.map((secret) => JSON.stringify(secret).slice(1, -1)), UNKNOWN, "walrus", it.hostKey]
        .flatMap((secret) => [
          secret,
          encodeURIComponent(secret),
          Buffer.from(secret).toString("base64").replace(/=+$/, ""),
        ])
        .filter((secret) => text.includes(secret))
        .map((secret) => `${secret} in ${name}`),
    );
    expect(leaks).toEqual([]);
  }

  const files = contents(await client.failures.diagnostics.mutate({ id: failure }));
  expect(JSON.parse(files.get("failure/failure.json") ?? "")).toMatchObject({
    code: "SF-103",
    evidence: { exitCode: 7 },
  });
  expect(files.get("failure/run.json")).toContain('"state": "failed"');
  expect(files.get("failure/events.jsonl")?.trim().split("\n")).toHaveLength(4);
  expect(files.get("console/jobs.json")).toContain('"hasPassword": true');
  expect(files.get("README.txt")).toContain("[removed]");
});

test("a host that cannot be asked, or is too old to be, leaves the console's part and says why", async () => {
  const { id } = await client.jobs.create.mutate(jobInput(hostId, "Nightly", ["data"]));
  const failure = await failedRun(id);
  const old = contents(await client.failures.diagnostics.mutate({ id: failure }));
  expect(old.get("host/NOT-REACHED.txt")).toContain("no answer to host.diagnostics");
  worker.drop();
  await eventually(async () => (await client.hosts.list.query()).every(({ connected }) => !connected));
  const away = contents(await client.failures.diagnostics.mutate({ id: failure }));
  expect(away.get("host/NOT-REACHED.txt")).toContain("does not answer");
  expect(away.get("failure/events.jsonl")).toContain("SF-103");
});

test("who took a bundle stands in the audit log, and a viewer gets none", async () => {
  const name = (await client.hosts.list.query())[0]?.name ?? "";
  await client.hosts.diagnostics.mutate({ hostId });
  const viewer = it.client(await it.signUpAs("viewer", await it.signIn()));
  await expect(viewer.hosts.diagnostics.mutate({ hostId })).rejects.toThrow("role operator");
  const entries = (await client.audit.list.query({})).filter(({ action }) => action === "hosts.diagnostics");
  expect(entries).toMatchObject([
    { by: "viewer@example.net", outcome: "refused" },
    { by: ADMINISTRATOR.email, subject: name, outcome: "done" },
  ]);
});
