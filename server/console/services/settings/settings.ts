/** The settings for every job, and their import from the original's registry. */
import type { Logger } from "pino";
import { type Settings, type SettingsChange, settingsSchema } from "@/server/core/contracts/settings";
import type { RegImportResult } from "@/server/core/contracts/views";
import { readRegExport } from "@/server/core/settings/reg-import";
import type { SettingStore } from "../../data/settings";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import type { Hosts } from "../hosts/hosts";

export class SettingsService {
  readonly #store: SettingStore;
  readonly #hosts: Hosts;
  readonly #log: Logger;

  constructor(store: SettingStore, hosts: Hosts, log: Logger) {
    this.#store = store;
    this.#hosts = hosts;
    this.#log = log;
  }

  get(): Promise<Settings> {
    return this.#store.get();
  }

  /** Cache locations go to every connected host first: one that refuses them leaves the settings as they were. */
  async set({ openFile, ...change }: SettingsChange): Promise<Settings> {
    const { cacheLocations: locations } = change;
    const before = await this.#store.get();
    noteChange({ subject: "settings", before });
    const defaults = openFile && { openFile: changedDefaults(before, openFile) };
    if (locations) {
      const connected = (await this.#hosts.list()).filter((host) => host.connected);
      for (const host of connected) await this.#hosts.ask(host.id, "cache.allow", { locations });
    }
    await this.#store.set({ ...change, ...defaults });
    const after = await this.#store.get();
    noteChange({ after });
    return after;
  }

  /** A host that was away learns the locations when it connects. */
  async greet(hostId: string): Promise<void> {
    const { cacheLocations: locations } = await this.#store.get();
    try {
      await this.#hosts.ask(hostId, "cache.allow", { locations });
    } catch (error) {
      this.#log.warn({ err: error, hostId }, "the host did not take the cache locations");
    }
  }

  async importReg(base64: string): Promise<RegImportResult> {
    const found = readRegExport(Buffer.from(base64, "base64"));
    if (!found.ok) throw fault("invalid", found.reason, { field: "content" });
    const settings = await this.set({ oneAtATime: found.value === 1 });
    return { settings, key: found.key, value: found.value };
  }
}

function changedDefaults({ openFile: present, ...rest }: Settings, change: NonNullable<SettingsChange["openFile"]>) {
  const openFile = {
    ...present,
    ...change,
    quiet: { ...present.quiet, ...change.quiet },
    cache: { ...present.cache, ...change.cache },
  };
  const checked = settingsSchema.safeParse({ ...rest, openFile });
  if (checked.success) return checked.data.openFile;
  const [issue] = checked.error.issues;
  throw fault("invalid", issue?.message ?? "This cannot be.", { field: issue?.path.join(".") ?? null });
}
