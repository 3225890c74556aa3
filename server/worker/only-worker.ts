/**
 * One worker at a time on the same files, from before the first is touched until the process is gone, however it
 * ends. Node takes no file locks: `flock` takes it on a descriptor that stays open here, and no child inherits it.
 */
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { messageOf } from "./fault";

/** Exit status of `flock` where somebody else has the lock; its own failures have others. */
const TAKEN = 75;

/** Throws where another worker has the directory. */
export async function beOnlyWorkerIn(directory: string, lockFile: string): Promise<void> {
  const descriptor = openSync(lockFile, "a", 0o600);
  const args = ["--exclusive", "--nonblock", "--conflict-exit-code", String(TAKEN), "3"];
  const flock = spawn("flock", args, { stdio: ["ignore", "ignore", "ignore", descriptor] });
  const status = await new Promise<number | null>((done, fail) => {
    flock.once("error", (cause) => fail(new Error(`flock cannot be started: ${messageOf(cause)}`, { cause })));
    flock.once("close", done);
  });
  if (status === TAKEN) throw new Error(`another worker is at work in ${directory}`);
  if (status !== 0) throw new Error(`${lockFile} cannot be locked: flock ended with ${status}`);
}
