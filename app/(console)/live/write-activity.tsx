import { formatRate } from "@/app/components/format";
import { Spark } from "@/app/components/spark";
import { type LiveWrites, RATES_KEPT } from "./use-live-writes";

/** Write activity of one volume: ticks, and the present rate. */
export function WriteActivity({ writes, name }: { writes: LiveWrites | undefined; name: string }) {
  const rates = writes?.rates ?? [];
  const recent = rates.slice(-5);
  const rate = recent.length ? recent.reduce((sum, one) => sum + one, 0) / recent.length : null;
  const words = rate === null ? "–" : rate > 0 ? formatRate(rate) : "quiet";
  return (
    <span className="flex min-w-0 items-center justify-between gap-2.5 sm:inline-flex">
      <Spark values={rates} length={RATES_KEPT} label={`Recent writes to ${name}`} />
      <span className="w-20 shrink-0 text-right font-mono text-mute text-xs">{words}</span>
    </span>
  );
}
