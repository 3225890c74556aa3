/**
 * The volumes that Stillframe was given on this host, kept in `<home>/worker/volumes`, and for each one that is
 * attached now its live device and the watch on its engine.
 */
import { join } from "node:path";
import { z } from "zod";
import { EngineWatch } from "../engine/engine-watch";
import type { AttachResult } from "../engine/protocol.gen";
import { FaultError } from "../fault";
import { engineDirectory, type Places } from "../places";
import { readAllJson, removeFile, writeJson } from "../state/json-file";

const recordSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Backing store. */
  source: z.string(),
  /** Where it is mounted while it is attached. */
  mount: z.string().nullable(),
  fsType: z.string().nullable(),
  sectorSize: z.number(),
  practice: z.boolean(),
  /** Practice volumes: whether the writer is wanted. */
  writer: z.boolean(),
  /** It was mounted at `mount` before it was attached, and is mounted there again after it is detached. */
  remounted: z.boolean(),
  /** Detached by a person: it stays known, but is not attached at the next start. */
  suspended: z.boolean().default(false),
  /** While it is attached for the first time: where its backing store was found mounted. */
  attaching: z.object({ foundAt: z.string().nullable() }).nullable().default(null),
});
export type KnownVolume = z.infer<typeof recordSchema>;

export interface AttachedVolume {
  record: KnownVolume;
  device: string;
  sizeBytes: number;
  runDirectory: string;
  watch: EngineWatch;
}

export class KnownVolumes {
  private readonly records = new Map<string, KnownVolume>();
  private readonly attached = new Map<string, AttachedVolume>();
  private last: Promise<unknown> = Promise.resolve();
  /** Names of volumes that are being detached. */
  private readonly leaving = new Set<string>();
  /** Names of volumes of which a snapshot is being taken, one for each that is. */
  private readonly taking: string[] = [];
  /** Called when a volume's engine does not answer for longer than a replacement takes, and again while it does not. */
  onSilent: (volume: AttachedVolume) => void = () => {};

  constructor(readonly places: Places) {}

  async load(): Promise<void> {
    for (const record of await readAllJson(this.places.volumes, recordSchema)) this.records.set(record.name, record);
  }

  all(): KnownVolume[] {
    return [...this.records.values()];
  }

  allAttached(): AttachedVolume[] {
    return [...this.attached.values()];
  }

  find(name: string): KnownVolume | null {
    return this.records.get(name) ?? null;
  }

  findAttached(name: string): AttachedVolume | null {
    return this.attached.get(name) ?? null;
  }

  require(name: string): KnownVolume {
    const record = this.records.get(name);
    if (record === undefined) throw new FaultError("notFound", `there is no volume "${name}"`, { field: "name" });
    return record;
  }

  requireAttached(name: string): AttachedVolume {
    this.require(name);
    const volume = this.attached.get(name);
    if (volume === undefined) throw new FaultError("unavailable", `volume "${name}" is not attached`);
    return volume;
  }

  async save(record: KnownVolume): Promise<void> {
    await writeJson(this.recordPath(record), record);
    this.records.set(record.name, record);
    const attached = this.attached.get(record.name);
    if (attached !== undefined) attached.record = record;
  }

  async forget(name: string): Promise<void> {
    const record = this.records.get(name);
    if (record !== undefined) await removeFile(this.recordPath(record));
    this.records.delete(name);
  }

  setAttached(record: KnownVolume, engine: AttachResult): AttachedVolume {
    this.attached.get(record.name)?.watch.stop();
    const volume: AttachedVolume = {
      record,
      device: engine.device,
      sizeBytes: engine.sizeBytes,
      runDirectory: engineDirectory(this.places, record.id),
      watch: new EngineWatch(record.name, engine.socket, () => this.onSilent(volume)),
    };
    this.attached.set(record.name, volume);
    return volume;
  }

  setDetached(name: string): void {
    this.attached.get(name)?.watch.stop();
    this.attached.delete(name);
  }

  /** Attaching, detaching and the like happen one after the other. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work, work);
    this.last = result.catch(() => {});
    return result;
  }

  /** Detaches: no run and no snapshot begins on the volume meanwhile, and none may be beginning. */
  async whileLeaving<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.taking.includes(name)) {
      throw new FaultError("busy", `a snapshot of volume "${name}" is being taken`, { field: "name" });
    }
    this.refuseLeaving([name], "name");
    this.leaving.add(name);
    try {
      return await work();
    } finally {
      this.leaving.delete(name);
    }
  }

  /** Takes snapshots: the volumes are not detached meanwhile. */
  async whileTaking<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    this.refuseLeaving(names, "volumes");
    this.taking.push(...names);
    try {
      return await work();
    } finally {
      for (const name of names) this.taking.splice(this.taking.indexOf(name), 1);
    }
  }

  refuseLeaving(names: readonly string[], field: string): void {
    const name = names.find((one) => this.leaving.has(one));
    if (name !== undefined) throw new FaultError("busy", `volume "${name}" is being detached`, { field });
  }

  private recordPath(record: KnownVolume): string {
    return join(this.places.volumes, `${record.id}.json`);
  }
}
