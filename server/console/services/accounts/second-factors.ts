/** What protects an account besides its password, as its owner and an administrator manage it. */
import type { AccountSafety } from "@/server/core/contracts/accounts";
import type { SecondFactorStore } from "../../data/second-factors";
import { noteChange } from "../audit/change-note";
import { fault } from "../fault-error";
import type { Vault } from "../secrets/vault";
import type { Users } from "./users";

const BACKUP_CODES = "backup codes of a second factor";

/** How the accounts library keeps backup codes. */
export function sealedBackupCodes(vault: Vault) {
  return {
    encrypt: async (codes: string) => vault.seal(codes, BACKUP_CODES),
    decrypt: async (sealed: string) => vault.open(sealed, BACKUP_CODES),
  };
}

export class SecondFactors {
  readonly #store: SecondFactorStore;
  readonly #users: Users;
  readonly #vault: Vault;
  readonly #passkeyHost: string;

  /** `passkeyHost`: the name by which passkeys know this console. */
  constructor(store: SecondFactorStore, users: Users, vault: Vault, passkeyHost: string) {
    this.#store = store;
    this.#users = users;
    this.#vault = vault;
    this.#passkeyHost = passkeyHost;
  }

  /** Null while nobody has a passkey. */
  async passkeyHost(): Promise<string | null> {
    return (await this.#store.anyPasskey()) ? this.#passkeyHost : null;
  }

  async of(userId: string): Promise<AccountSafety> {
    const sealed = await this.#store.backupCodes(userId);
    const codes: unknown = sealed === null ? [] : JSON.parse(this.#vault.open(sealed, BACKUP_CODES));
    return {
      hasPassword: await this.#store.hasPassword(userId),
      secondFactor: sealed === null ? null : { backupCodesLeft: Array.isArray(codes) ? codes.length : 0 },
      passkeys: await this.#store.passkeys(userId),
      passkeyHost: this.#passkeyHost,
    };
  }

  /** For somebody who has lost theirs. */
  async remove(email: string): Promise<void> {
    const user = await this.#users.byEmail(email);
    noteChange({ subject: user.email });
    if (!(await this.#store.remove(user.id))) throw fault("conflict", `${user.name} has no second factor.`);
  }

  async renamePasskey(userId: string, id: string, name: string): Promise<void> {
    if (!(await this.#store.renamePasskey(userId, id, name))) throw noPasskey();
  }

  async removePasskey(userId: string, id: string): Promise<void> {
    const found = (await this.#store.passkeys(userId)).find((passkey) => passkey.id === id);
    if (!found || !(await this.#store.removePasskey(userId, id))) throw noPasskey();
    noteChange({ subject: found.name });
  }
}

const noPasskey = () => fault("notFound", "There is no such passkey any more.");
