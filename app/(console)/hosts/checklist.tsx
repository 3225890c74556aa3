import { CircleAlert, CircleCheck, CircleMinus } from "lucide-react";
import { Note } from "@/app/components/note";
import type { Doctor } from "@/server/core/contracts/volume";

/** The self-test's checks: works, missing but not needed, or missing. */
export function Checklist({ doctor }: { doctor: Doctor }) {
  const missing = doctor.checks.filter((check) => !check.ok && check.required);
  return (
    <div className="mt-4">
      <Note
        tone={doctor.ok ? "good" : "loss"}
        title={doctor.ok ? "Everything that is needed works here" : `${missing.length} of what is needed does not work`}
      />
      <Checks checks={doctor.checks} words={testWords} />
    </div>
  );
}

/** What a repair found and did, part by part. */
export function RepairList({ found }: { found: Doctor }) {
  return (
    <div className="mt-4">
      <Note
        tone={found.ok ? "good" : "loss"}
        title={found.ok ? "All is in order on this host" : "Not all could be repaired"}
      />
      <Checks checks={found.checks} words={repairWords} />
    </div>
  );
}

type Words = { ok: string; bad: string };
export const testWords: Words = { ok: "works", bad: "missing" };
export const repairWords: Words = { ok: "in order", bad: "not repaired" };

export function Checks({ checks, words }: { checks: Doctor["checks"]; words: Words }) {
  return (
    <ul className="mt-3">
      {checks.map((check) => {
        const [Icon, tone, word] = check.ok
          ? ([CircleCheck, "text-accent", words.ok] as const)
          : check.required
            ? ([CircleAlert, "text-loss-ink", words.bad] as const)
            : ([CircleMinus, "text-mute", "not here, not needed"] as const);
        return (
          <li
            key={check.name}
            className="grid grid-cols-[1.25rem_1fr_auto] gap-x-3 border-line border-t py-2 first:border-0"
          >
            <Icon className={`mt-0.5 size-4 ${tone}`} aria-hidden />
            <span className="wrap-anywhere font-medium">{check.name}</span>
            <span className={`text-xs ${tone}`}>{word}</span>
            <span className="wrap-anywhere col-start-2 text-[0.8125rem] text-mute">{check.detail}</span>
            {!check.ok && check.required && check.fix && (
              <span className="wrap-anywhere col-start-2 mt-1 font-mono text-xs">{check.fix}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
