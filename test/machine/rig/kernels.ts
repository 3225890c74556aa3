/** What the tests of the machine are run with; `npm run kernels` sets both. */

/** Names kernels, as in "6.16,7.3". */
export const KERNELS = "STILLFRAME_MACHINE_KERNELS";
/** How many engines are killed under each. */
export const KILLS = "STILLFRAME_MACHINE_KILLS";

/** The kernels that are named; where none is, `otherwise`. */
export function kernels(otherwise: string[]): string[] {
  return process.env[KERNELS]?.split(",") ?? otherwise;
}
