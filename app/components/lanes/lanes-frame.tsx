import { formatTime } from "../time";
import { type Frame, laneRoom } from "./frame";
import type { LanesData } from "./lanes-data";
import { axisStep, axisTimes } from "./time-axis";

/** Grid, time labels and the present. */
export function TimeAxis({ data, frame, zone }: { data: LanesData; frame: Frame; zone: string }) {
  const bottom = frame.top + frame.laneHeight * data.lanes.length;
  const most = Math.max(2, Math.floor((frame.right - frame.left) / (frame.narrow ? 90 : 110)));
  const step = axisStep(frame.to - frame.from, most);
  const style = step >= 60_000 ? "minute" : step >= 1000 ? "clock" : "exact";
  return (
    <g>
      {axisTimes(frame.from, frame.to, most).map((at) => {
        const x = frame.x(at);
        const anchor = x < frame.left + 24 ? "start" : x > frame.right - 24 ? "end" : "middle";
        return (
          <g key={at}>
            <line x1={x} x2={x} y1={8} y2={bottom} stroke="var(--line)" />
            <text x={x} y={bottom + 18} textAnchor={anchor} className="fill-mute font-mono text-[11.5px]">
              {formatTime(at, style, zone)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

export function NowLine({ data, frame }: { data: LanesData; frame: Frame }) {
  if (data.now === null || data.now < frame.from || data.now > frame.to) return null;
  const x = frame.x(data.now);
  const bottom = frame.top + frame.laneHeight * data.lanes.length;
  return (
    <g>
      <line x1={x} x2={x} y1={8} y2={bottom} stroke="var(--ink)" opacity={0.5} />
      <text
        x={x}
        y={bottom + 36}
        textAnchor={x > frame.right - 20 ? "end" : "middle"}
        className="fill-ink font-mono text-[11.5px]"
      >
        now
      </text>
    </g>
  );
}

/** The frozen instants: one line through all lanes that share it. */
export function Cuts({ data, frame }: { data: LanesData; frame: Frame }) {
  const seen = data.cuts.filter((cut) => cut.at >= frame.from && cut.at <= frame.to);
  return seen.map((cut) => {
    const x = frame.x(cut.at);
    const first = laneRoom(frame, cut.first);
    const bottom = frame.top + (cut.last + 1) * frame.laneHeight - 8;
    const label = frame.narrow ? cut.short : cut.label;
    // The label stands above the ticks, on the side that has room.
    const flip = x + label.length * 7.2 > frame.right && x > (frame.left + frame.right) / 2;
    return (
      <g key={`${cut.first} ${cut.at}`}>
        <line
          x1={x}
          x2={x}
          y1={first.top - (cut.first === 0 ? 16 : 2)}
          y2={bottom}
          stroke="var(--frozen)"
          strokeWidth={2}
        />
        <text
          x={flip ? x - 8 : x + 8}
          y={first.labelBase}
          textAnchor={flip ? "end" : "start"}
          className="fill-frozen-ink font-mono text-[11.5px]"
        >
          {label}
        </text>
      </g>
    );
  });
}
