/** How long a snapshot takes: its activation under load, and how long a file system stands still for it. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { getPriority, setPriority } from "node:os";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { makeFileSystem, unmount } from "../../fixtures/attached-volume";
import { BackgroundProgram } from "../../fixtures/background-program";
import { Cleanup } from "../../fixtures/cleanup";
import { freezeGroup } from "../../fixtures/freeze-program";
import { pause } from "../../fixtures/native-program";
import type { Bench, Section } from "../bench";
import { limitRow, median, quantile, type Row } from "../figures";
import { type Place, prepare, withEngine, withLoop } from "../subjects";

const ACTIVATIONS = 200;
const FREEZES = 12;

/** Random direct writes of 4 KiB at depth 32 until it is stopped. */
function load(cleanup: Cleanup, target: string[]): BackgroundProgram {
  return new BackgroundProgram(cleanup, "fio", [
    ...["--name=load", ...target, "--rw=randwrite", "--bs=4k", "--iodepth=32", "--ioengine=libaio", "--direct=1"],
    ...["--norandommap", "--time_based", "--runtime=600", "--thread", "--output-format=terse", "--eta=never"],
  ]);
}

async function withCleanup(use: (cleanup: Cleanup) => Promise<void>): Promise<void> {
  const cleanup = new Cleanup();
  try {
    await use(cleanup);
  } finally {
    await cleanup.run();
  }
}

/** From the request on the socket to its answer, asked by a process that does not itself wait for a processor. */
async function runActivation(bench: Bench): Promise<Row[]> {
  const ms: number[] = [];
  const usual = getPriority();
  await bench.withPlace((place) =>
    withEngine(place, (attached) =>
      withCleanup(async (cleanup) => {
        const { client, result } = attached;
        const writing = load(cleanup, [`--filename=${result.device}`]);
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

/** Whether grace periods of RCU are expedited, as the freeze helper has them. */
const HASTE = "/sys/kernel/rcu_expedited";

/** From before FIFREEZE to after FITHAW, in milliseconds: what the kernel alone takes for a freeze, in haste or not. */
const FREEZE_ALONE = `
import fcntl, os, sys, time
os.sync()
mount = os.open(sys.argv[1], os.O_RDONLY)
haste = sys.argv[2:]
for switch in haste: open(switch, "w").write("1")
try:
    began = time.monotonic()
    fcntl.ioctl(mount, 0xC0045877, 0)
    fcntl.ioctl(mount, 0xC0045878, 0)
    print((time.monotonic() - began) * 1000)
finally:
    for switch in haste: open(switch, "w").write("0")
`;

/** Runs `freezeOnce` some times on an ext4 of the device while a file on it is written. */
async function freezes(place: Place, device: string, freezeOnce: (at: string, n: number) => Promise<number>) {
  const ms: number[] = [];
  const at = join(place.directory, "mnt");
  await mkdir(at, { recursive: true });
  await makeFileSystem(device, "ext4");
  await mustRun("mount", [device, at]);
  try {
    await withCleanup(async (cleanup) => {
      const file = join(at, "file");
      await mustRun("dd", [
        "if=/dev/zero",
        `of=${file}`,
        "bs=4M",
        `count=${place.bytes / 8 / 1024 / 1024}`,
        "status=none",
      ]);
      load(cleanup, [`--filename=${file}`, `--size=${place.bytes / 2}`, "--overwrite=1"]);
      await pause(1000);
      for (let n = 1; n <= FREEZES; n += 1) {
        ms.push(await freezeOnce(at, n));
        await pause(100);
      }
    });
  } finally {
    await unmount(at);
  }
  return ms;
}

async function frozenWithEngine(place: Place): Promise<number[]> {
  let ms: number[] = [];
  await withEngine(place, async (attached) => {
    const { result, client } = attached;
    ms = await freezes(place, result.device, async (at, n) => {
      await prepare(attached, place, `s${n}`);
      const volumes = [{ name: "bench", mount: at, socket: result.socket, snapshot: `s${n}` }];
      const { report, stderr } = await freezeGroup({ volumes });
      if (report?.ok !== true) throw new Error(`not taken: ${JSON.stringify(report)} ${stderr}`);
      await client.request("release", { snapshot: `s${n}` });
      return report.frozenMs;
    });
  });
  return ms;
}

async function frozenAlone(place: Place, ...haste: string[]): Promise<number[]> {
  let ms: number[] = [];
  const once = async (at: string) => Number(await mustRun("python3", ["-c", FREEZE_ALONE, at, ...haste]));
  await withLoop(place.backing, async (device) => {
    ms = await freezes(place, device, once);
  });
  return ms;
}

async function runFreeze(bench: Bench): Promise<Row[]> {
  const [alone, inHaste, ours]: [number[], number[], number[]] = [[], [], []];
  const mayHaste = existsSync(HASTE);
  await bench.withPlace(async (place) => {
    for (const round of bench.rounds) {
      bench.say(`round ${round}: FIFREEZE on the raw loop`);
      alone.push(...(await frozenAlone(place)));
      if (mayHaste) {
        bench.say(`round ${round}: FIFREEZE on the raw loop, expedited`);
        inHaste.push(...(await frozenAlone(place, HASTE)));
      }
      bench.say(`round ${round}: freeze and snapshot on the engine`);
      ours.push(...(await frozenWithEngine(place)));
    }
  });
  const frozen = "frozen time, ext4 under 4k writes, median";
  const against = (name: string, of: number[]) => limitRow(frozen, "ms", median(ours), {}, { name, value: median(of) });
  return [
    against("raw loop", alone),
    limitRow("frozen longer than that", "ms", median(ours) - median(alone), { atMost: 10 }),
    ...(mayHaste
      ? [
          against("raw loop, expedited", inHaste),
          limitRow("frozen longer than that", "ms", median(ours) - median(inHaste), { atMost: 10 }),
        ]
      : []),
    limitRow("frozen time, ext4 under 4k writes, longest", "ms", Math.max(...ours), {}),
  ];
}

export const freeze: Section = {
  name: "freeze",
  what: "how long a file system stands still for a snapshot",
  run: runFreeze,
};
