/** Who has hooks run around snapshots: hears how they go, and remembers those that it owes to its applications. */
import type { HookMoment } from "@/server/core/contracts/hooks";
import type { ErrorCode } from "@/server/core/errors/codes";
import type { OwedHook } from "./owed-hooks";

export interface HookOwner {
  phase(group: number, phase: "preparing" | "holding"): Promise<void>;
  log(level: "debug" | "info" | "warn", text: string, code: ErrorCode | null): Promise<void>;
  /** Hooks that are run in any case, by a successor if need be, which knows them when this resolves. */
  owe(hooks: readonly OwedHook[]): Promise<void>;
  owed(at: HookMoment): OwedHook[];
  settled(one: OwedHook): Promise<void>;
}
