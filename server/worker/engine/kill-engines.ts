/** Ends engines from outside; their keeper starts another, which takes everything up. */
import { childrenOf } from "../programs/processes";
import { livingKeeper } from "./keeper";

/** Kills those that the keeper has started, which one hangs being hard to tell; none where no keeper lives. */
export async function killEngines(runDirectory: string): Promise<number[]> {
  const keeper = await livingKeeper(runDirectory);
  const engines = keeper === null ? [] : await childrenOf(keeper);
  for (const pid of engines) killNow(pid);
  return engines;
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it is gone already: what is wanted is a new one
  }
}
