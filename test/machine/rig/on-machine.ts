/** Tests of what only another kernel has. Where there can be no machine they are skipped, and their name says why. */
import { describe } from "vitest";
import { QEMU } from "./boot";
import { BUSYBOX, find } from "./contents";
import { debianKernel } from "./kernel";

/** Like `describe`, under a kernel of this version. */
export async function describeOnMachine(title: string, kernel: string, define: () => void): Promise<void> {
  const reason = await whyNone(kernel);
  const name = reason === null ? title : `${title} (no virtual machine: ${reason})`;
  describe.skipIf(reason !== null)(name, () => define());
}

/** Null where there can be one. */
async function whyNone(kernel: string): Promise<string | null> {
  if (process.arch !== "x64") return `the machine is x86-64, this one is ${process.arch}`;
  for (const program of [QEMU, BUSYBOX, "xz", "fio", "mkfs.ext4"]) {
    if (find(program) === null) return `${program} is not installed`;
  }
  try {
    await debianKernel(kernel);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
