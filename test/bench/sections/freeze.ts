/** How long file systems stand still for a snapshot: one under load, and several at one instant. */
import { existsSync } from "node:fs";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import { type FileSystem, makeFileSystem, unmount } from "../../fixtures/attached-volume";
import { withCleanup } from "../../fixtures/cleanup";
import { freezeGroup } from "../../fixtures/freeze-program";
import { pause } from "../../fixtures/native-program";
import type { Bench, Section } from "../bench";
import { limitRow, median, type Row } from "../figures";
import { writeAtRandom } from "../fio";
import { type Attached, type Place, prepare, verifyEngine, withEngine, withLoop } from "../subjects";

const FREEZES = 12;
const GROUP = 8;
const MIB = 1024 * 1024;

/** Whether grace periods of RCU are expedited, as the freeze helper has them. */
const HASTE = "/sys/kernel/rcu_expedited";

/**
 * From before the first FIFREEZE to after the last FITHAW, in milliseconds: what the kernel alone takes for a freeze. Its
 * first argument is the switch to set meanwhile, or empty; the others are the mounts.
 */
const FREEZE_ALONE = `
import fcntl, os, sys, time
os.sync()
haste, mounts = sys.argv[1], [os.open(at, os.O_RDONLY) for at in sys.argv[2:]]
if haste: open(haste, "w").write("1")
try:
    began = time.monotonic()
    for mount in mounts: fcntl.ioctl(mount, 0xC0045877, 0)
    for mount in reversed(mounts): fcntl.ioctl(mount, 0xC0045878, 0)
    print((time.monotonic() - began) * 1000)
finally:
    if haste: open(haste, "w").write("0")
`;

interface Volume {
  place: Place;
  fileSystem: FileSystem;
  /** What of it the file takes that is written to meanwhile. */
  share: number;
  /** Further options of fio for that. */
  load: string[];
}

/** Holds one resource for each item, in order, while `use` runs with all of them. */
async function withEach<T, R>(
  items: T[],
  hold: (item: T, use: (one: R) => Promise<void>) => Promise<void>,
  use: (all: R[]) => Promise<void>,
  held: R[] = [],
): Promise<void> {
  const [first, ...rest] = items;
  if (first === undefined) await use(held);
  else await hold(first, (one) => withEach(rest, hold, use, [...held, one]));
}

/** Makes file systems on the devices, has a file on each written to, and freezes all of them some times. */
async function freezes(
  volumes: Volume[],
  devices: string[],
  freezeOnce: (mounts: string[], n: number) => Promise<number>,
): Promise<number[]> {
  const ms: number[] = [];
  await withCleanup(async (cleanup) => {
    const mounts: string[] = [];
    for (const [i, { place, fileSystem, share, load }] of volumes.entries()) {
      const at = join(place.directory, "mnt");
      await mkdir(at, { recursive: true });
      await makeFileSystem(devices[i] ?? "", fileSystem);
      await mustRun("mount", [devices[i] ?? "", at]);
      cleanup.add(`unmount ${at}`, () => unmount(at));
      const file = join(at, "file");
      await mustRun("dd", [
        "if=/dev/zero",
        `of=${file}`,
        "bs=1M",
        `count=${(place.bytes * share) / MIB}`,
        "status=none",
      ]);
      writeAtRandom(cleanup, [`--filename=${file}`, ...load]);
      mounts.push(at);
    }
    await pause(1000);
    for (let n = 1; n <= FREEZES; n += 1) {
      ms.push(await freezeOnce(mounts, n));
      await pause(100);
    }
  });
  return ms;
}

async function frozenAlone(volumes: Volume[], haste: string): Promise<number[]> {
  let ms: number[] = [];
  const once = async (mounts: string[]) => Number(await mustRun("python3", ["-c", FREEZE_ALONE, haste, ...mounts]));
  await withEach<Volume, string>(
    volumes,
    ({ place }, use) => withLoop(place.backing, use),
    async (devices) => {
      ms = await freezes(volumes, devices, once);
    },
  );
  return ms;
}

async function frozenWithEngines(volumes: Volume[]): Promise<number[]> {
  let ms: number[] = [];
  const freezeOnce = async (attached: Attached[], mounts: string[], n: number) => {
    for (const [i, one] of attached.entries()) await prepare(one, (volumes[i] as Volume).place, `s${n}`);
    const asked = attached.map(({ result }, i) => {
      return { name: `bench${i}`, mount: mounts[i] ?? "", socket: result.socket, snapshot: `s${n}` };
    });
    const { report, stderr } = await freezeGroup({ volumes: asked });
    if (report?.ok !== true) throw new Error(`not taken: ${JSON.stringify(report)} ${stderr}`);
    for (const { client } of attached) await client.request("release", { snapshot: `s${n}` });
    return report.frozenMs;
  };
  await withEach<Volume, Attached>(
    volumes,
    ({ place }, use) => withEngine(place, use),
    async (attached) => {
      const devices = attached.map(({ result }) => result.device);
      ms = await freezes(volumes, devices, (mounts, n) => freezeOnce(attached, mounts, n));
      for (const [i, one] of attached.entries()) await verifyEngine(one, (volumes[i] as Volume).place);
    },
  );
  return ms;
}

async function compare(bench: Bench, what: string, volumes: Volume[]): Promise<Row[]> {
  const [alone, inHaste, ours]: [number[], number[], number[]] = [[], [], []];
  const mayHaste = existsSync(HASTE);
  for (const round of bench.rounds) {
    bench.say(`round ${round}: ${what}: FIFREEZE alone`);
    alone.push(...(await frozenAlone(volumes, "")));
    if (mayHaste) inHaste.push(...(await frozenAlone(volumes, HASTE)));
    bench.say(`round ${round}: ${what}: freeze and snapshot on the engine`);
    ours.push(...(await frozenWithEngines(volumes)));
  }
  const against = (name: string, of: number[]) => [
    limitRow(`frozen time, ${what}, median`, "ms", median(ours), {}, { name, value: median(of) }),
    limitRow("frozen longer than that", "ms", median(ours) - median(of), { atMost: 10 }),
  ];
  return [
    ...against("raw loop", alone),
    ...(mayHaste ? against("raw loop, expedited", inHaste) : []),
    limitRow(`frozen time, ${what}, longest`, "ms", Math.max(...ours), {}),
  ];
}

/** Eight small volumes beside the backing file, ext4 and xfs, each written to 500 times a second. */
async function groupOf(directory: string): Promise<Volume[]> {
  return Promise.all(
    Array.from({ length: GROUP }, async (_, i): Promise<Volume> => {
      const own = join(directory, `${basename(directory)}-${i}`);
      const place = { backing: join(own, "backing.img"), bytes: 320 * MIB, directory: own };
      await mkdir(own);
      await writeFile(place.backing, "");
      await truncate(place.backing, place.bytes);
      const load = ["--iodepth=4", "--rate_iops=500"];
      return { place, fileSystem: i % 2 === 0 ? "ext4" : "xfs", share: 1 / 8, load };
    }),
  );
}

async function run(bench: Bench): Promise<Row[]> {
  return bench.withPlace(async (place) => [
    ...(await compare(bench, "ext4 under 4k writes", [
      { place, fileSystem: "ext4", share: 1 / 2, load: ["--iodepth=32"] },
    ])),
    ...(await compare(bench, `${GROUP} volumes at one instant`, await groupOf(place.directory))),
  ]);
}

export const freeze: Section = { name: "freeze", what: "how long file systems stand still for a snapshot", run };
