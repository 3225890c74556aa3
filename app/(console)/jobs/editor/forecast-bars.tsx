import { formatBytes } from "@/server/core/text/bytes";
import type { JobForecast } from "./use-forecast";

const shades = ["opacity-100", "opacity-75", "opacity-55", "opacity-40"];

/** Two bars on one scale: all caches together, and the largest alone, each with its limit. */
export function ForecastBars({ forecast, fit, volumes, roomKnown }: JobForecast) {
  const { needAllAtOnceBytes, needOneAtATimeBytes } = forecast;
  const scale = Math.max(1, needAllAtOnceBytes * 1.15, Math.min(fit.allAtOnce.roomBytes, needAllAtOnceBytes * 2));
  const largest = forecast.volumes.filter((one) => one.aloneBytes === needOneAtATimeBytes).slice(0, 1);
  return (
    <div className="space-y-4">
      <Bar
        name="All at once"
        parts={forecast.volumes}
        room={roomKnown ? fit.allAtOnce.roomBytes : null}
        scale={scale}
        fill="bg-frozen"
      />
      {volumes.length > 1 && (
        <Bar
          name="One at a time"
          parts={largest.map(({ name, aloneBytes }) => ({ name, needBytes: aloneBytes }))}
          room={roomKnown ? fit.oneAtATime.roomBytes : null}
          scale={scale}
          fill="bg-cache"
        />
      )}
    </div>
  );
}

type BarProps = {
  name: string;
  parts: readonly { name: string; needBytes: number }[];
  room: number | null;
  scale: number;
  fill: string;
};

function Bar({ name, parts, room, scale, fill }: BarProps) {
  const need = parts.reduce((sum, part) => sum + part.needBytes, 0);
  return (
    <div>
      <div className="mb-1 flex flex-wrap justify-between gap-x-3">
        <span>{name}</span>
        <span className="font-mono text-mute text-xs">
          {formatBytes(need)}
          {room !== null && ` · room ${formatBytes(room)}`}
        </span>
      </div>
      <div className="relative h-6 overflow-hidden rounded-md bg-soft" aria-hidden>
        <div className="flex h-full gap-px">
          {parts.map((part, index) => (
            <div
              key={part.name}
              title={`${part.name}: ${formatBytes(part.needBytes)}`}
              className={`${fill} ${shades[index % shades.length]}`}
              style={{ width: `${(part.needBytes / scale) * 100}%` }}
            />
          ))}
        </div>
        {room !== null && room <= scale && (
          <div
            className="absolute inset-y-0 border-loss border-l-2 border-dashed"
            style={{ left: `${(room / scale) * 100}%` }}
          />
        )}
      </div>
    </div>
  );
}
