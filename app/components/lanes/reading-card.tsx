import { cn } from "../class-names";
import type { Frame } from "./frame";
import type { Reading } from "./reading";

/** With more lanes than this, each has one line. */
const ROOMY_LANES = 4;

type ReadingCardProps = {
  reading: Reading;
  /** The lane that the keys have chosen. */
  lane: number | null;
  frame: Frame;
  /** The lane that the pointer is over. */
  pointed: number;
  /** Lower edge of the lanes. */
  bottom: number;
};

/** A line through all lanes, and beside it what each of them says there. For the eye only: the cursor says it too. */
export function ReadingCard({ reading, lane, pointed, frame, bottom }: ReadingCardProps) {
  const x = frame.x(reading.at);
  const onRight = x < (frame.left + frame.right) / 2;
  const many = reading.lanes.length > ROOMY_LANES;
  const inLines = many && !frame.narrow;
  // On a narrow screen many would hide the picture: one of them, below its lane's name.
  const only = many && frame.narrow ? (lane ?? pointed) : null;
  const top = only === null ? 30 : frame.top + (only + 1) * frame.laneHeight;
  return (
    <div aria-hidden="true">
      <div
        className="pointer-events-none absolute w-px bg-ink/60"
        style={{ left: x, top: 8, height: bottom - 8 }}
        data-lanes-cursor
      />
      <div
        className="pointer-events-none absolute z-10 w-max max-w-[min(34rem,88vw)] rounded-lg border border-line bg-panel px-3 py-2 text-xs shadow-pop"
        style={{
          top,
          ...(frame.narrow ? { left: 0 } : onRight ? { left: x + 12 } : { right: frame.width - x + 12 }),
        }}
      >
        <p className="mb-1 font-mono text-frozen-ink">{reading.time}</p>
        <dl className={inLines ? "grid grid-cols-[auto_auto] gap-x-3 gap-y-0.5" : "space-y-1"}>
          {reading.lanes.map((one, index) =>
            only !== null && index !== only ? null : (
              <div
                key={one.name}
                className={cn(
                  inLines && "col-span-2 grid grid-cols-subgrid",
                  lane !== null && index !== lane && "opacity-55",
                )}
              >
                <dt className="truncate font-medium">{one.name}</dt>
                <dd className="font-mono text-mute">
                  {inLines ? (
                    `${one.writes} · ${one.cache}`
                  ) : (
                    <>
                      writes {one.writes}
                      <br />
                      cache {one.cache}
                    </>
                  )}
                </dd>
              </div>
            ),
          )}
        </dl>
      </div>
    </div>
  );
}
