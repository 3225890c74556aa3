/** How long taking a snapshot takes the engine, under load. */
import { getPriority, setPriority } from "node:os";
import { withCleanup } from "../../fixtures/cleanup";
import { pause } from "../../fixtures/native-program";
import type { Bench, Section } from "../bench";
import { limitRow, median, quantile, type Row } from "../figures";
import { writeAtRandom } from "../fio";
import { prepare, verifyEngine, withEngine } from "../subjects";

const ACTIVATIONS = 200;

/** From the request on the socket to its answer, asked by a process that does not itself wait for a processor. */
async function runActivation(bench: Bench): Promise<Row[]> {
  const ms: number[] = [];
  const usual = getPriority();
  await bench.withPlace((place) =>
    withEngine(place, (attached) =>
      withCleanup(async (cleanup) => {
        const { client, result } = attached;
        const writing = writeAtRandom(cleanup, [`--filename=${result.device}`, "--iodepth=32"]);
        setPriority(-20); // of this process alone: what it has started keeps its own
        cleanup.add("the usual priority", () => setPriority(usual));
        for (let n = 1; n <= ACTIVATIONS; n += 1) {
          await prepare(attached, place, `s${n}`, 16 * 1024 * 1024);
          await pause(10);
          const began = performance.now();
          await client.request("activate", { snapshot: `s${n}` });
          ms.push(performance.now() - began);
          await client.request("release", { snapshot: `s${n}` });
          if (!writing.running) throw new Error(`fio has ended: ${writing.output}`);
        }
        await writing.stop();
        await verifyEngine(attached, place);
      }),
    ),
  );
  const of = `of ${ACTIVATIONS}, 4k writes at depth 32`;
  return [
    limitRow(`activation, median ${of}`, "ms", median(ms), {}),
    limitRow(`activation, p99 ${of}`, "ms", quantile(ms, 0.99), { atMost: 3 }),
  ];
}

export const activation: Section = { name: "activation", what: "how long taking a snapshot takes", run: runActivation };
