"use client";
import { type FieldError, useFormContext } from "react-hook-form";
import { Field } from "@/app/components/field";
import { UnitInput } from "@/app/components/input";
import { Segmented } from "@/app/components/segmented";
import { Switch } from "@/app/components/switch";
import { type Retention, type RetentionPeriod, retentionPeriods } from "@/server/core/contracts/retention";
import { retentionWords } from "@/server/core/planning/retention-words";
import type { JobDraft, JobDraftIn } from "./job-draft";

const labels: Record<RetentionPeriod, [unit: string, name: string]> = {
  last: ["newest", "Newest backups to keep"],
  daily: ["days", "Days to keep one of"],
  weekly: ["weeks", "Weeks to keep one of"],
  monthly: ["months", "Months to keep one of"],
  yearly: ["years", "Years to keep one of"],
};
type Faults = Partial<Record<RetentionPeriod, FieldError>>;
const begun: Retention = { last: 3, daily: 7, weekly: 4, monthly: 12, yearly: 0, prune: false };

/** Which backups of this job stay in its repository. */
export function RetentionFields() {
  const { watch, setValue, formState } = useFormContext<JobDraftIn, unknown, JobDraft>();
  const destination = watch("destination");
  if (destination.kind !== "restic") return null;
  // What is in the form began as a job's own retention or as `begun`: its defaults are filled in.
  const retention = destination.retention as Retention | undefined;
  const change = (next: Retention | undefined) =>
    setValue("destination.retention", next, { shouldDirty: true, shouldValidate: formState.isSubmitted });
  const { errors } = formState;
  const wrong = (errors.destination && "retention" in errors.destination ? errors.destination.retention : undefined) as
    | Faults
    | undefined;
  return (
    <>
      <Field
        row
        group
        label="Old backups"
        hint={retention ? undefined : "Every backup stays until somebody removes it."}
      >
        <Segmented
          value={retention ? "remove" : "keep"}
          onChange={(choice) => change(choice === "remove" ? begun : undefined)}
          options={[
            { value: "keep", label: "all stay" },
            { value: "remove", label: "remove what is not wanted" },
          ]}
        />
      </Field>
      {retention && (
        <>
          <Field
            row
            group
            label="These stay"
            error={faultWords(wrong)}
            hint="After a run that succeeded. Only backups of this job, each volume by itself; the one just made always stays."
          >
            <div className="flex flex-wrap gap-x-5 gap-y-2">
              {retentionPeriods.map((period) => (
                <UnitInput
                  key={period}
                  type="number"
                  min={0}
                  max={9999}
                  id={undefined}
                  aria-label={labels[period][1]}
                  aria-invalid={wrong?.[period] !== undefined || undefined}
                  className="w-20"
                  unit={labels[period][0]}
                  value={Number.isNaN(retention[period]) ? "" : retention[period]}
                  onChange={(event) => change({ ...retention, [period]: event.target.valueAsNumber })}
                />
              ))}
            </div>
            <Kept retention={retention} />
          </Field>
          <Field
            row
            label="Free their room at once"
            hint="Runs restic prune whenever something was removed. It takes a while, and nothing else can use the repository meanwhile."
          >
            <Switch checked={retention.prune} onChange={(prune) => change({ ...retention, prune })} />
          </Field>
        </>
      )}
    </>
  );
}

/** Which of the numbers is wrong, and why. That nothing would be kept is a fault of all together. */
function faultWords(faults: Faults | undefined): string | undefined {
  const wrong = retentionPeriods.find((period) => faults?.[period]);
  const fault = wrong && faults?.[wrong];
  if (!fault) return undefined;
  return fault.type === "custom" ? fault.message : `${labels[wrong][1]}: ${fault.message}`;
}

function Kept({ retention }: { retention: Retention }) {
  if (retentionPeriods.some((period) => Number.isNaN(retention[period]))) return null;
  const words = retentionWords(retention);
  if (words === null) return <p className="mt-2 text-loss-ink">Nothing would stay: every backup would be removed.</p>;
  return <p className="mt-2">Keeps {words}.</p>;
}
