/** Tests of what only another kernel has. Where there can be no machine they are skipped, and their name says why. */
import { describe } from "vitest";
import { bootMachine, type MachineOptions, type MachineResult, QEMU } from "./boot";
import { BUSYBOX, find } from "./contents";
import { debianKernel } from "./kernel";

/** Like `describe`. */
export async function describeOnMachine(title: string, define: () => void): Promise<void> {
  const reason = await whyNone();
  const name = reason === null ? title : `${title} (no virtual machine: ${reason})`;
  describe.skipIf(reason !== null)(name, () => define());
}

/** Null where there can be one. */
async function whyNone(): Promise<string | null> {
  if (process.arch !== "x64") return `the machine is x86-64, this one is ${process.arch}`;
  for (const program of [QEMU, BUSYBOX, "xz", "fio", "mkfs.ext4"]) {
    if (find(program) === null) return `${program} is not installed`;
  }
  try {
    await debianKernel();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Boots it; throws with all that was said unless the script ran to its end and succeeded. */
export async function mustBoot(options: MachineOptions): Promise<MachineResult> {
  const result = await bootMachine(options);
  if (result.exitCode === 0) return result;
  const how = result.timedOut ? "was ended at its time limit" : `ended with ${result.exitCode}`;
  throw new Error(`the machine ${how}\n${result.output}\n--- kernel\n${result.kernelLog}`);
}
