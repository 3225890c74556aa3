/** What the tests of the machine are run with; `npm run kernels` sets both. */

/** Names kernels, as in "6.16,7.3". */
export const KERNELS = "STILLFRAME_MACHINE_KERNELS";
/** How many engines are killed under each. */
export const KILLS = "STILLFRAME_MACHINE_KILLS";

/** Whether the engine moves data of large requests without a copy there: `ublk_faults.rs`. */
export function hasZeroCopy(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 18);
}

/** The kernels that are named; where none is, `otherwise`. */
export function kernels(otherwise: string[]): string[] {
  return process.env[KERNELS]?.split(",") ?? otherwise;
}
