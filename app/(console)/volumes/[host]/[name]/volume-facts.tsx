import type { ReactNode } from "react";
import { Card } from "@/app/components/card";
import { formatBytesOf } from "@/app/components/format";
import { Meter } from "@/app/components/meter";
import type { VolumeView } from "@/server/core/contracts/views";
import { formatBytes } from "@/server/core/text/bytes";
import type { LiveWrites } from "../../../live/use-live-writes";
import { WriteActivity } from "../../../live/write-activity";
import { WriterSwitch } from "../../writer-switch";
import { TransportHelp, transportName } from "./transport-help";

export function VolumeFacts({ volume, writes }: { volume: VolumeView; writes: LiveWrites | undefined }) {
  const free = Math.max(0, volume.sizeBytes - volume.usedBytes);
  return (
    <Card>
      <dl className="grid gap-x-8 gap-y-3 sm:grid-cols-2 lg:grid-cols-3 xl:grid-cols-5">
        <Fact name="Use">
          {volume.mount ? (
            <>
              {formatBytesOf(volume.usedBytes, volume.sizeBytes)}, {formatBytes(free)} free
              <Meter value={volume.usedBytes} max={volume.sizeBytes} label="Used" className="mt-1.5 max-w-56" />
            </>
          ) : (
            formatBytes(volume.sizeBytes)
          )}
        </Fact>
        <Fact name="Provider">
          {volume.provider === "engine" ? "engine" : "none: live read only"}
          {volume.transport !== undefined && (
            <span className="block text-mute text-xs">over {transportName(volume.transport)}</span>
          )}
        </Fact>
        <Fact name="File system">
          {volume.fsType ?? "–"}
          {volume.mount && <span className="wrap-anywhere block font-mono text-mute text-xs">{volume.mount}</span>}
        </Fact>
        <Fact name="Device">
          <span className="font-mono text-xs">{volume.device ?? "–"}</span>
          <span className="wrap-anywhere block font-mono text-mute text-xs">{volume.source}</span>
        </Fact>
        {volume.state === "attached" && (
          <Fact name="Writes now">
            <WriteActivity writes={writes} name={volume.name} />
          </Fact>
        )}
        {volume.practice && (
          <Fact name="Practice writer">
            <WriterSwitch volume={volume} />
          </Fact>
        )}
      </dl>
      <TransportHelp volume={volume} />
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="mb-0.5 text-mute text-xs">{name}</dt>
      <dd className="text-[0.8125rem]">{children}</dd>
    </div>
  );
}
