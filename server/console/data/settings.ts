/** The settings, a row a key. A key that is absent has its default. */
import { defaultSettings, type Settings, settingsSchema } from "@/server/core/contracts/settings";
import type { Database } from "./database";

const LOCAL_HOST = "console.localHostId";

export class SettingStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async get(): Promise<Settings> {
    const rows = await this.#db.setting.findMany({ where: { key: { in: Object.keys(defaultSettings) } } });
    const stored = Object.fromEntries(rows.map((row) => [row.key, JSON.parse(row.value)]));
    return settingsSchema.parse({ ...defaultSettings, ...stored });
  }

  async set(change: Partial<Settings>): Promise<void> {
    const changed = Object.entries(change).filter(([, value]) => value !== undefined);
    await this.#db.$transaction(changed.map(([key, value]) => this.#put(key, JSON.stringify(value))));
  }

  /** The host that runs on the console's own machine. */
  async localHostId(): Promise<string | null> {
    const row = await this.#db.setting.findUnique({ where: { key: LOCAL_HOST } });
    return row?.value ?? null;
  }

  async setLocalHostId(id: string): Promise<void> {
    await this.#put(LOCAL_HOST, id);
  }

  #put(key: string, value: string) {
    return this.#db.setting.upsert({ where: { key }, create: { key, value }, update: { value } });
  }
}
