import { errorTable } from "@/server/core/errors/table";
import { exitCodes, type Failure } from "../failure";

/** What standard error shows: what happened, its code and inherited wording, and what to do. */
export function failureText(failure: Failure): string {
  const lines = [`stillframe: ${failure.message}`];
  if (failure.code) {
    lines.push(`  ${failure.code}  ${errorTable[failure.code].text}`);
    if (failure.advice) lines.push(`  ${failure.advice}`);
    lines.push(`  More: stillframe explain ${failure.code}`);
  } else if (failure.advice) lines.push(`  ${failure.advice}`);
  else if (failure.exitCode === exitCodes.usage) lines.push("  See --help of this command.");
  return lines.join("\n");
}
