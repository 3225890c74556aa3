/** Keeps processors from sleeping, as servers are tuned for which latency counts (the profile `latency-performance` of tuned). */
import { open } from "node:fs/promises";

/** The kernel's, `Documentation/power/pm_qos_interface.rst`: holds as long as it is open, in microseconds, 32 bits. */
const INTERFACE = "/dev/cpu_dma_latency";

/** While `use` runs, an idle processor polls: how soon it is woken does not depend on how long it has been idle. */
export async function withProcessorsAwake<T>(use: () => Promise<T>): Promise<T> {
  const held = await open(INTERFACE, "r+");
  try {
    await held.write(Buffer.alloc(4));
    return await use();
  } finally {
    await held.close();
  }
}
