/** How hooks are heard in a run's log: what each says, up to a bound, and how it went. */
import { hookPhrase } from "@/server/core/hooks/hook-words";
import { formatDuration } from "@/server/core/text/duration";
import type { FaultError } from "../fault";
import type { HookCall } from "./run-hook";

type Level = "debug" | "info" | "warn";
export type Say = (level: Level, text: string, code?: "SF-104") => Promise<void>;

const MOST_LOGGED_LINES = 200;

/** For one hook: its lines, each under its label. */
export function lineTeller(say: Say, { label }: HookCall): (line: string) => void {
  let told = 0;
  return (line) => {
    told += 1;
    if (told <= MOST_LOGGED_LINES) void say("debug", `${label}: ${line}`);
    if (told === MOST_LOGGED_LINES) void say("debug", `${label}: (the rest of its output is not kept)`);
  };
}

export function tellDone(say: Say, call: HookCall, how: string, tookMs: number): Promise<void> {
  return say("info", `${hookPhrase(call.hook.at, call.label)} ${how} ${formatDuration(tookMs)}`);
}

export function tellWarning(say: Say, fault: FaultError, what: string): Promise<void> {
  return say("warn", `${fault.message}; ${what}`, "SF-104");
}
