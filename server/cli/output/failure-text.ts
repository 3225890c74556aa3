import { errorTable } from "@/server/core/errors/table";
import { exitCodes, type Failure } from "../failure";

/** What standard error shows: what happened, its code and inherited wording, the causes that the
 * evidence shows, and what to do. */
export function failureText(failure: Failure): string {
  const lines = [`stillframe: ${failure.message}`];
  if (failure.code) {
    const entry = errorTable[failure.code];
    lines.push(`  ${failure.code}  ${entry.text}`);
    const { evidence } = failure;
    if (evidence) {
      const found = entry.causes.filter((cause) => cause.check(evidence) === "true");
      lines.push(...found.map((cause) => `  ${cause.title}: ${cause.detail(evidence)}`));
    }
    if (failure.advice) lines.push(`  ${failure.advice}`);
    lines.push(`  More: stillframe explain ${failure.code}`);
  } else if (failure.advice) lines.push(`  ${failure.advice}`);
  else if (failure.exitCode === exitCodes.usage) lines.push("  See --help of this command.");
  return lines.join("\n");
}
