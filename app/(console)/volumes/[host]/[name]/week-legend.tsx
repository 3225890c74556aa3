import { LEVELS, type Measure } from "./week-hours";

const words = {
  writes: { least: "nothing", most: "most of the week", of: "Bytes a second, mean; K, M, G are powers of 1024." },
  rests: { least: "none", most: "longest", of: "Longest time without a write that half of the weeks had." },
} as const;

export function WeekLegend({ measure }: { measure: Measure }) {
  const { least, most, of } = words[measure];
  return (
    <div className="text-mute text-xs">
      <p className="flex flex-wrap items-center gap-1.5">
        {least}
        <span aria-hidden className="inline-flex gap-px">
          {Array.from({ length: LEVELS + 1 }, (_, level) => level).map((level) => (
            <span key={level} className="week-cell h-3.5 w-5" data-measure={measure} data-level={level} />
          ))}
        </span>
        {most}
        <span aria-hidden className="week-cell ml-3 h-3.5 w-5" />
        not measured
      </p>
      <p className="mt-1">{of}</p>
    </div>
  );
}
