import Link from "next/link";
import { formatPercent, formatRate, plural } from "@/app/components/format";
import { type ForecastVolume, isMeasured, MEASURED_ENOUGH_MS } from "@/server/core/planning/forecast";
import { writtenWithin } from "@/server/core/planning/write-windows";
import { formatBytes } from "@/server/core/text/bytes";
import { formatDuration } from "@/server/core/text/duration";
import type { JobForecast } from "./use-forecast";

const DAY = 24 * 3_600_000;

/** What the forecast goes by: the time that the snapshots are open, and each volume's writes. */
export function ForecastBasis({ expected, volumes, skipFreeBlocks, forecast, ofHours }: JobForecast) {
  const measured = volumes.filter(isMeasured);
  const open = formatDuration(expected.allAtOnceMs);
  const ruled = forecast.volumes.filter((one) => one.basis !== "measured");
  const given = ruled.some((one) => one.basis === "maximum");
  const used = volumes.reduce((sum, one) => sum + one.usedBytes, 0);
  return (
    <div className="mt-4 space-y-2 border-line border-t pt-3 text-mute text-xs">
      <p>
        <b className="font-medium text-ink">Goes by: </b>
        {expected.basis.kind === "runs"
          ? `snapshots open for ${open}, the longest of ${plural(expected.basis.runs, "past run")} of these volumes.`
          : `snapshots open for ${open}: ${formatBytes(used)} at an assumed ${formatRate(expected.basis.bytesPerSecond)}, for this job has not run with these volumes yet.`}
      </p>
      <ul className="space-y-1">
        {measured.map((volume) => (
          <li key={volume.name}>
            <b className="font-medium text-ink">{volume.name}</b>: measured for {lengthOf(volume.measured.measuredMs)}.{" "}
            {ofHours.includes(volume.name) ? "Begun at the hours of the schedule, 19" : "19"} of 20 stretches of {open}{" "}
            wrote no more than {formatBytes(writtenWithin(volume.measured.windows, expected.allAtOnceMs))}
            {shareWords(volume, skipFreeBlocks)}.
          </li>
        ))}
        {ruled.map(({ name }) => (
          <li key={name}>
            <b className="font-medium text-ink">{name}</b>: {waiting(volumes.find((one) => one.name === name))}
          </li>
        ))}
      </ul>
      {ruled.length > 0 && (
        <p>
          {given
            ? "Until then the maximum size counts as the need."
            : "Until then the rule counts: 30 % of what is used, at least 50 MiB."}
        </p>
      )}
      <p>
        Room is what the broker would allow: 30 % of a location’s free space for each cache, unless you say otherwise
        (see <Link href="/cache">Cache</Link>).
      </p>
    </div>
  );
}

function shareWords({ measured }: ForecastVolume, skipFreeBlocks: boolean): string {
  const share = skipFreeBlocks ? measured?.preservedShare : measured?.changedShare;
  return share == null
    ? "; all of it is counted, for no snapshot has shown yet how much takes cache"
    : `, of which ${formatPercent(share)} took cache in past snapshots`;
}

function waiting(volume: ForecastVolume | undefined): string {
  const ms = volume?.measured?.measuredMs ?? 0;
  if (ms === 0) return "nothing was measured yet.";
  return `measured for ${lengthOf(ms)} only; its own writes count from ${formatDuration(MEASURED_ENOUGH_MS)} on.`;
}

function lengthOf(ms: number): string {
  return ms >= 2 * DAY ? `${Math.floor(ms / DAY)} days` : formatDuration(ms);
}
