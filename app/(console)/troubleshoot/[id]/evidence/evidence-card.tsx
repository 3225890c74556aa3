import { Fragment, type ReactNode } from "react";
import { Card, CardTitle } from "@/app/components/card";
import { Time } from "@/app/components/time";
import type { FailureDetail } from "@/server/core/contracts/views";
import { evidenceByCode } from "@/server/core/errors/evidence";
import { inWords } from "@/server/core/runs/phase-words";
import { formatDuration } from "@/server/core/text/duration";
import { CommunicationEvidence } from "./communication-evidence";
import { Facts } from "./facts";
import { FreezeEvidence } from "./freeze-evidence";
import { HookEvidence } from "./hook-evidence";
import { LocationsEvidence } from "./locations-evidence";
import { LogLines } from "./log-lines";
import { QuietEvidence } from "./quiet-evidence";

const MINUTE_MS = 60_000;

/** What was collected at the moment of the failure, by code. */
export function EvidenceCard({ failure }: { failure: FailureDetail }) {
  return (
    <Card>
      <CardTitle>
        Evidence, as it was at <Time at={failure.at} style="clock" />
      </CardTitle>
      {evidenceOf(failure) ?? <p className="text-mute">None was kept.</p>}
    </Card>
  );
}

function evidenceOf({ code, evidence }: FailureDetail): ReactNode {
  switch (code) {
    case "a000851c": {
      const parsed = evidenceByCode.a000851c.safeParse(evidence);
      return parsed.success && <LocationsEvidence evidence={parsed.data} />;
    }
    case "OFO-QUIET": {
      const parsed = evidenceByCode["OFO-QUIET"].safeParse(evidence);
      return parsed.success && <QuietEvidence evidence={parsed.data} />;
    }
    case "OFO-COMM": {
      const parsed = evidenceByCode["OFO-COMM"].safeParse(evidence);
      return parsed.success && <CommunicationEvidence evidence={parsed.data} />;
    }
    case "SF-101": {
      const parsed = evidenceByCode["SF-101"].safeParse(evidence);
      return parsed.success && <FreezeEvidence evidence={parsed.data} />;
    }
    case "a00084af": {
      const parsed = evidenceByCode.a00084af.safeParse(evidence);
      if (!parsed.success) return null;
      const known = (value: boolean | null) => (value === null ? "not known" : value ? "yes" : "no");
      return (
        <Facts
          facts={[
            ["Path", parsed.data.path],
            ["Error number", parsed.data.errno === null ? "none" : String(parsed.data.errno)],
            ["On the live volume", known(parsed.data.existsLive)],
            ["Snapshot released meanwhile", known(parsed.data.snapshotReleased)],
          ]}
        />
      );
    }
    case "SF-103": {
      const parsed = evidenceByCode["SF-103"].safeParse(evidence);
      if (!parsed.success) return null;
      return (
        <>
          <Facts
            facts={[
              ["Exit code", String(parsed.data.exitCode ?? "none")],
              ["Signal", parsed.data.signal ?? "none"],
            ]}
          />
          <LogLines lines={parsed.data.lines} label="Its last lines" />
        </>
      );
    }
    case "SF-105": {
      const parsed = evidenceByCode["SF-105"].safeParse(evidence);
      return parsed.success && <Facts facts={parsed.data.providers.map((one) => [one.name, one.reason])} />;
    }
    case "SF-106": {
      const parsed = evidenceByCode["SF-106"].safeParse(evidence);
      if (!parsed.success) return null;
      return (
        <>
          <Facts
            facts={[
              ["Last phase", parsed.data.lastPhase === null ? "not known" : inWords(parsed.data.lastPhase)],
              ...(parsed.data.error === null
                ? []
                : [["Unforeseen error", parsed.data.error] satisfies [string, string]]),
            ]}
          />
          <LogLines lines={parsed.data.cleaned} label="Cleaned up afterwards" />
        </>
      );
    }
    case "SF-107": {
      const parsed = evidenceByCode["SF-107"].safeParse(evidence);
      if (!parsed.success) return null;
      const { firstAt, dueAt, times, graceMinutes, holder } = parsed.data;
      return (
        <Facts
          facts={[
            [
              "Was due",
              <Fragment key="due">
                {times > 1 && (
                  <>
                    <Time at={firstAt} /> to{" "}
                  </>
                )}
                <Time at={dueAt} />
              </Fragment>,
            ],
            ["Times missed", String(times)],
            ["Grace", formatDuration(graceMinutes * MINUTE_MS)],
            ["In its way", holder ?? "nothing"],
          ]}
        />
      );
    }
    case "SF-102": {
      const parsed = evidenceByCode["SF-102"].safeParse(evidence);
      if (!parsed.success) return null;
      return (
        <>
          <Facts
            facts={[
              ["Cache location", parsed.data.location ?? "not known"],
              ["Slot", String(parsed.data.slot ?? "not known")],
              ["Error number", String(parsed.data.errno ?? "none")],
            ]}
          />
          <LogLines lines={parsed.data.kernelLines} label="Kernel’s messages" />
        </>
      );
    }
    case "SF-104": {
      const parsed = evidenceByCode["SF-104"].safeParse(evidence);
      return parsed.success && <HookEvidence evidence={parsed.data} />;
    }
  }
}
