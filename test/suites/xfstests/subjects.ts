/** The devices that are compared: a raw loop device, an attached volume, and one with snapshots open. */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "@/server/worker/programs/run-program";
import {
  AttachedVolume,
  type FileSystem,
  MIB,
  makeFileSystem,
  makeImage,
  untilNobodyMountsIt,
} from "@/test/fixtures/attached-volume";
import type { Cleanup } from "@/test/fixtures/cleanup";
import { hashOf } from "@/test/fixtures/device-hash";
import type { Devices } from "./check";

const BYTES = { test: 1024 * MIB, scratch: 1536 * MIB };
const parts = ["test", "scratch"] as const;
type Part = (typeof parts)[number];

/** So many tests see the same snapshot, then it is compared and replaced. */
const TESTS_A_SNAPSHOT = 10;
const CACHE_BYTES = 8192 * MIB;

export abstract class Subject {
  protected constructor(
    readonly name: string,
    readonly devices: Devices,
  ) {}

  /** A new file system for the tests, after one that may have left it in any state. */
  async renew(): Promise<void> {
    await this.settle();
    await makeFileSystem(this.devices.testDevice, this.devices.fileSystem as FileSystem);
  }

  /** Before each test. */
  async before(): Promise<void> {}

  /** After each test: nothing is mounted or in use any more. */
  async settle(): Promise<void> {
    for (const device of [this.devices.testDevice, this.devices.scratchDevice]) {
      await detachLoopsOn(device);
      await untilNobodyMountsIt(device);
    }
  }

  /** At the end: what was found beside the tests, a line each. */
  async finish(): Promise<string[]> {
    return [];
  }
}

class Raw extends Subject {
  static async make(cleanup: Cleanup, directory: string, fileSystem: FileSystem): Promise<Raw> {
    const devices: string[] = [];
    for (const part of parts) {
      const image = await makeImage(join(directory, `raw-${part}.img`), BYTES[part]);
      const device = (await mustRun("losetup", ["--find", "--show", "--direct-io=on", image])).trim();
      cleanup.add(`detach ${device}`, () => mustRun("losetup", ["--detach", device]));
      devices.push(device);
    }
    const [testDevice = "", scratchDevice = ""] = devices;
    return new Raw("raw", { fileSystem, testDevice, scratchDevice, directory: join(directory, "raw") });
  }
}

type Volumes = Record<Part, AttachedVolume>;

async function attach(cleanup: Cleanup, directory: string, name: string): Promise<Volumes> {
  const one = (part: Part) => AttachedVolume.attach(cleanup, directory, `${name}-${part}`, BYTES[part]);
  return { test: await one("test"), scratch: await one("scratch") };
}

function devicesOf({ test, scratch }: Volumes, fileSystem: FileSystem, directory: string, name: string): Devices {
  return { fileSystem, testDevice: test.device, scratchDevice: scratch.device, directory: join(directory, name) };
}

class Attached extends Subject {
  static async make(cleanup: Cleanup, directory: string, fileSystem: FileSystem): Promise<Attached> {
    const volumes = await attach(cleanup, directory, "attached");
    return new Attached("attached", devicesOf(volumes, fileSystem, directory, "attached"));
  }
}

/** With a snapshot open on both volumes, every block preserved; compared with its instant before it is released. */
export class Snapshotted extends Subject {
  private open: Record<Part, { id: string; instant: string }> | null = null;
  private tests = 0;
  private taken = 0;
  private compared = 0;
  private preserved = 0;
  private readonly wrong: string[] = [];

  private constructor(
    private readonly volumes: Volumes,
    devices: Devices,
  ) {
    super("snapshot", devices);
  }

  static async make(cleanup: Cleanup, directory: string, fileSystem: FileSystem): Promise<Snapshotted> {
    const volumes = await attach(cleanup, directory, "snapshot");
    return new Snapshotted(volumes, devicesOf(volumes, fileSystem, directory, "snapshot"));
  }

  override async before(): Promise<void> {
    if (this.tests > 0 && this.tests % TESTS_A_SNAPSHOT === 0) await this.compareAndRelease();
    this.tests += 1;
    if (this.open !== null) return;
    this.taken += 1;
    const take = async (part: Part) => {
      const [volume, id] = [this.volumes[part], `${part}-${this.taken}`];
      await mustRun("blockdev", ["--flushbufs", volume.device]);
      await volume.prepare(id, { skipFreeBlocks: false, maxBytes: CACHE_BYTES });
      await volume.activate(id);
      return { id, instant: await hashOf(volume.image) };
    };
    this.open = { test: await take("test"), scratch: await take("scratch") };
  }

  override async finish(): Promise<string[]> {
    await this.compareAndRelease();
    const counts = `${2 * this.taken} snapshots, ${this.compared} compared with their instant, ${this.preserved} blocks preserved`;
    return [...this.wrong, `${counts}, ${this.wrong.length} lost or wrong`];
  }

  get lostOrWrong(): number {
    return this.wrong.length;
  }

  private async compareAndRelease(): Promise<void> {
    if (this.open === null) return;
    for (const part of parts) {
      const [volume, { id, instant }] = [this.volumes[part], this.open[part]];
      const report = await volume.snapshotReport(id);
      if (report?.state === "active") {
        this.preserved += report.preservedBlocks;
        const found = await hashOf(await volume.export(id));
        await volume.unexport(id);
        this.compared += 1;
        if (found !== instant) this.wrong.push(`WRONG: snapshot ${id} is not what its volume held at its instant`);
      } else {
        this.wrong.push(`LOST: snapshot ${id} is ${report?.state ?? "gone"}: ${report?.detail ?? ""}`);
      }
      await volume.release(id);
    }
    this.open = null;
  }
}

export async function makeSubjects(
  cleanup: Cleanup,
  directory: string,
  fileSystem: FileSystem,
  snapshot: boolean,
): Promise<{ subjects: Subject[]; snapshotted: Snapshotted | null }> {
  await mkdir(directory, { recursive: true });
  const pair = [await Raw.make(cleanup, directory, fileSystem), await Attached.make(cleanup, directory, fileSystem)];
  const snapshotted = snapshot ? await Snapshotted.make(cleanup, directory, fileSystem) : null;
  const subjects = snapshotted === null ? pair : [...pair, snapshotted];
  for (const subject of subjects) await subject.renew();
  return { subjects, snapshotted };
}

/** Loop devices that a test made over a file on this device and did not take away. */
async function detachLoopsOn(device: string): Promise<void> {
  const { rdev } = await stat(device);
  const number = `${(rdev >> 8) & 0xfff}:${rdev & 0xff}`;
  const listed = await mustRun("losetup", ["--list", "--noheadings", "--raw", "--output", "NAME,BACK-MAJ:MIN"]);
  for (const line of listed.trim().split("\n")) {
    const [name = "", backing] = line.trim().split(/\s+/);
    if (backing === number) await mustRun("losetup", ["--detach", name]);
  }
}
