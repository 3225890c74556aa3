import { asSentence } from "@/app/components/format";
import type { VolumeView } from "@/server/core/contracts/views";

/** As the engine names them. Another one, of a newer engine, is shown by its own name. */
const names: Record<string, string> = { ublk: "ublk", fuse_loop: "FUSE and a loop device" };

export function transportName(transport: string): string {
  return names[transport] ?? transport;
}

/** How requests come to the volume's engine, and why they do not come by ublk where that would have been chosen. */
export function TransportHelp({ volume: { transport, notUblkBecause } }: { volume: VolumeView }) {
  if (transport !== "ublk" && transport !== "fuse_loop") return null;
  return (
    <details className="mt-3 border-line border-t pt-3 text-[0.8125rem] text-mute">
      <summary className="w-fit rounded text-accent">
        {notUblkBecause === undefined ? `What ${transportName(transport)} means` : "Why not ublk"}
      </summary>
      <div className="mt-2 max-w-prose space-y-2">
        {notUblkBecause !== undefined && <p className="wrap-anywhere text-ink">{asSentence(notUblkBecause)}</p>}
        {transport === "ublk" ? (
          <p>
            The kernel hands what is read from and written to this volume to its engine as block requests, without a
            loop device between. That is the quicker of two ways.
          </p>
        ) : (
          <p>
            What is read from and written to this volume reaches its engine through a loop device and FUSE. Snapshots
            and freezes are the same as over ublk, which is quicker where the kernel has a sound driver of it.
          </p>
        )}
        <p>
          The way is chosen when the volume is attached: after a new kernel, detach it and attach it again. The host’s
          self-test, under Hosts, tells which ways it has; <code>STILLFRAME_TRANSPORT</code> in its worker’s environment
          overrules the choice.
        </p>
      </div>
    </details>
  );
}
