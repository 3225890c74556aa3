/** `npm start` on a machine that lacks something: each time one clear sentence that says what to do, at once. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type ProgramResult, runProgram } from "@/server/worker/programs/run-program";
import { cleanupAfterEach } from "../fixtures/cleanup";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cleanup = cleanupAfterEach();
const port = "4128";

/** A clone in which nothing was ever installed. */
function bareClone(): string {
  const directory = mkdtempSync(join(tmpdir(), "stillframe-start-"));
  cleanup.add("remove the clone", () => rmSync(directory, { recursive: true, force: true }));
  cpSync(join(root, "server/cli/up"), join(directory, "server/cli/up"), { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) cpSync(join(root, file), join(directory, file));
  mkdirSync(join(directory, "native"));
  writeFileSync(join(directory, "native/Cargo.toml"), "");
  return directory;
}

/** Runs it in mounts of its own, after a shell script that takes something away. */
function start(clone: string, takeAway: string, ...args: string[]): Promise<ProgramResult> {
  const program = `${takeAway}; exec ${process.execPath} "$0" "$@"`;
  const script = join(clone, "server/cli/up/start.mjs");
  const home = join(clone, "home");
  return runProgram("unshare", [
    "--mount",
    "--propagation",
    "slave",
    "sh",
    "-c",
    program,
    script,
    "--port",
    port,
    "--home",
    home,
    ...args,
  ]);
}

test("without root", async () => {
  const clone = bareClone();
  await runProgram("chmod", ["-R", "a+rX", clone]);
  const result = await runProgram("setpriv", [
    ...["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath],
    join(clone, "server/cli/up/start.mjs"),
  ]);
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toMatch(/runs as root/);
  expect(result.stderr).toContain("sudo npm start");
});

test("without FUSE", async () => {
  const result = await start(bareClone(), "mount -t tmpfs none /dev; mknod /dev/null c 1 3");
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain("/dev/fuse is missing");
  expect(result.stderr).toContain("modprobe fuse");
});

/** A toolchain of the whole system cannot be hidden. */
const systemRust = ["/usr/bin/cargo", "/usr/local/bin/cargo"].some((path) => existsSync(path));

test.skipIf(systemRust)("without Rust", async () => {
  const clone = bareClone();
  const hide = "export HOME=/nonexistent PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  const result = await start(clone, hide);
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain("no Rust toolchain");
  expect(result.stderr).toContain("rustup.rs");
});

test("without room on the disk", async () => {
  const clone = bareClone();
  const result = await start(clone, `mkdir -p '${clone}/home'; mount -t tmpfs -o size=64m none '${clone}/home'`);
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toMatch(/Only 0\.1 GiB are free/);
});

test("with its port taken", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(Number(port), "127.0.0.1", resolve));
  cleanup.add("the other program", () => new Promise((resolve) => other.close(resolve)));
  const result = await start(bareClone(), "true");
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain(`Port ${port} on 127.0.0.1 is in use`);
  expect(result.stderr).toContain("--port 4129");
});

test("with the port of HTTPS taken", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(Number(port), "127.0.0.1", resolve));
  cleanup.add("the other program", () => new Promise((resolve) => other.close(resolve)));
  const tls = ["--port", "4129", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--tls-port", port];
  const result = await start(bareClone(), "true", ...tls);
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain(`Port ${port} on 127.0.0.1 is in use`);
  expect(result.stderr).toContain("--tls-port 4129");
});

test("on a port that no browser opens", async () => {
  const result = await start(bareClone(), "true", "--port", "6000");
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain("Browsers refuse to open port 6000");
});

test("with a program that cannot be run although its package is there", async () => {
  const restic = (await runProgram("sh", ["-c", "command -v restic"])).stdout.trim();
  const result = await start(bareClone(), `mount --bind /dev/null '${restic}'`);
  expect(result.stderr).toContain("Missing: restic");
  expect(result.exitCode).toBe(1);
});

test.each([
  ["--port", "none"],
  ["--colour", "blue"],
  ["--tls-port", "70000"],
  ["--tls-cert", "cert.pem"],
])("with the wrong option %s %s", async (...args) => {
  const result = await start(bareClone(), "true", ...args);
  expect(result.exitCode).toBe(2);
  expect(result.stderr).toContain("--bind");
});
