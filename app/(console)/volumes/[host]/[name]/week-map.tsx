"use client";
import { type KeyboardEvent, useRef, useState } from "react";
import type { VolumeHistory } from "@/server/core/contracts/history";
import { weekdays } from "@/server/core/history/hour-of-week";
import { levelOf, type Measure, shortValue, valueIn, wordsOf } from "./week-hours";

const hours = Array.from({ length: 24 }, (_, hour) => hour);
const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -24, ArrowDown: 24 };

type WeekMapProps = { history: VolumeHistory; measure: Measure; zone: string };

/**
 * Days and hours as a grid of cells, each with its value; the arrow keys go from cell to cell, and a line below says
 * all that is known of the one that is pointed at. On a narrow screen the days stand beside each other.
 */
export function WeekMap({ history, measure, zone }: WeekMapProps) {
  const { week } = history;
  const [at, setAt] = useState<number | null>(null);
  const [stop, setStop] = useState(0);
  const [now] = useState(() => Date.now());
  const cells = useRef<Map<number, HTMLTableCellElement>>(new Map());
  const most = Math.max(0, ...week.map((one) => valueIn(one, measure) ?? 0));
  const words = (hour: number) => {
    const one = week[hour];
    return one ? wordsOf(one, zone, history.zone, now) : "";
  };
  const move = (event: KeyboardEvent) => {
    const narrow = getComputedStyle(event.currentTarget).gridAutoFlow.includes("column");
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const turned = narrow ? (Math.abs(step) === 1 ? step * 24 : step / 24) : step;
    const next = stop + turned;
    if (next < 0 || next >= week.length) return;
    cells.current.get(next)?.focus();
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a table whose cells the arrow keys go through is a grid */}
      <table role="grid" aria-label={`Hours of the week, ${zone}`} className="week-map" onKeyDown={move}>
        <thead className="contents">
          <tr className="contents">
            <th scope="col">
              <span className="sr-only">Day</span>
            </th>
            {hours.map((hour) => (
              <th key={hour} scope="col" className="week-hour">
                {String(hour).padStart(2, "0")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="contents">
          {weekdays.map((name, day) => (
            <tr key={name} className="contents">
              <th scope="row" aria-label={name} className="week-day">
                {name.slice(0, 3)}
              </th>
              {week.slice(day * 24, day * 24 + 24).map((one) => (
                <td
                  key={one.hour}
                  ref={(element) => {
                    if (element) cells.current.set(one.hour, element);
                  }}
                  // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: see above
                  role="gridcell"
                  tabIndex={one.hour === stop ? 0 : -1}
                  aria-label={words(one.hour)}
                  className="week-cell"
                  data-measure={measure}
                  data-level={levelOf(one, measure, most) ?? undefined}
                  onFocus={() => {
                    setAt(one.hour);
                    setStop(one.hour);
                  }}
                  onBlur={() => setAt(null)}
                  onPointerEnter={() => setAt(one.hour)}
                  onPointerLeave={() => setAt(null)}
                >
                  <span aria-hidden>{shortValue(one, measure)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p aria-hidden className="mt-2 min-h-10 text-[0.8125rem] text-mute lg:min-h-5">
        {at === null ? `Point at an hour, or go there with the arrow keys. Times are those of ${zone}.` : words(at)}
      </p>
    </>
  );
}
