"use client";
import { useQuery } from "@tanstack/react-query";
import { Checkbox } from "@/app/components/checkbox";
import { Field } from "@/app/components/field";
import { Segmented } from "@/app/components/segmented";
import { Unanswered } from "@/app/components/unanswered";
import { useTRPC } from "@/app/trpc/client";
import { type ChannelInput, severities } from "@/server/core/contracts/notifications";
import { severityTexts } from "@/server/core/notifications/severity";

type TellsFieldsProps = {
  draft: ChannelInput;
  onChange: (part: Partial<ChannelInput>) => void;
  said: (field: string) => string | null;
};

/** What is told, and of which jobs. */
export function TellsFields({ draft: { tells, jobIds }, onChange, said }: TellsFieldsProps) {
  const trpc = useTRPC();
  const jobs = useQuery(trpc.jobs.list.queryOptions());
  const chosen = jobIds ?? [];
  return (
    <>
      <Field label="Tell" error={said("tells")} group>
        <div className="space-y-1.5">
          {severities.map((severity) => (
            <Checkbox
              key={severity}
              label={severityTexts[severity].label}
              checked={tells.includes(severity)}
              onChange={(on) =>
                onChange({ tells: severities.filter((one) => (one === severity ? on : tells.includes(one))) })
              }
            >
              {severityTexts[severity].label}
              <span className="block text-mute text-xs">{severityTexts[severity].does}</span>
            </Checkbox>
          ))}
        </div>
      </Field>
      <Field label="Jobs" error={said("jobIds")} group>
        <Segmented
          value={jobIds === null ? "every" : "some"}
          options={[
            { value: "every", label: "Every job" },
            { value: "some", label: "Some jobs" },
          ]}
          onChange={(which) => onChange({ jobIds: which === "every" ? null : [] })}
        />
        {jobIds !== null && (
          <div className="mt-2 max-h-48 space-y-1.5 overflow-y-auto p-0.5">
            <Unanswered query={jobs} of="jobs" />
            {jobs.data?.length === 0 && <p className="text-mute">There is no job yet.</p>}
            {jobs.data?.map(({ id, name }) => (
              <Checkbox
                key={id}
                label={name}
                checked={chosen.includes(id)}
                onChange={(on) => onChange({ jobIds: on ? [...chosen, id] : chosen.filter((one) => one !== id) })}
              />
            ))}
          </div>
        )}
      </Field>
    </>
  );
}
