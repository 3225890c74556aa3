/** Whether file systems stand still for a few milliseconds or for some tens (`native/freeze/src/haste.rs`). */
import { access, constants, readFile } from "node:fs/promises";
import type { Doctor } from "@/server/core/contracts/volume";

const EXPEDITED = "/sys/kernel/rcu_expedited";
const NORMAL = "/sys/kernel/rcu_normal";

type Check = Doctor["checks"][number];

export async function shortFreezeCheck(): Promise<Check> {
  const because = await reasonAgainst();
  const ok = because === null;
  const detail = ok
    ? `file systems are frozen for a few milliseconds: ${EXPEDITED} is set meanwhile`
    : `file systems are frozen for some tens of milliseconds each: ${because.why}`;
  return { name: "short freeze", ok, required: false, detail, fix: because?.fix ?? null };
}

async function reasonAgainst(): Promise<{ why: string; fix: string } | null> {
  const normal = await readFile(NORMAL, "utf8").catch(() => "0");
  if (Number(normal) !== 0) {
    const fix = `echo 0 > ${NORMAL}, unless this host needs it for real time.`;
    return { why: `${NORMAL} is ${normal.trim()}, which forbids expedited grace periods`, fix };
  }
  try {
    await access(EXPEDITED, constants.W_OK);
    return null;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (missing) return { why: `this kernel has no ${EXPEDITED}`, fix: "Only another kernel does it faster." };
    return { why: `${EXPEDITED} cannot be written`, fix: "Run the worker where /sys can be written to." };
  }
}
