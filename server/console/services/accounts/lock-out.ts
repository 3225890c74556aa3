/** Stops the guessing of passwords and codes, by account and by client address. */
import { lockOutRules } from "@/server/core/access/lock-out";
import { formatDuration } from "@/server/core/text/duration";
import type { SignInAttemptStore } from "../../data/sign-in-attempts";

/** Who tries: the address of an account, which need not exist, and where from. */
export type Trying = { account: string; address: string };
/** `locks`: what a wrong attempt leads to, for the audit log; null while some are free. */
export type Attempt = { waitMs: number; locks: string | null };

const accountKey = (account: string) => `account:${account.toLowerCase()}`;
const addressKey = (address: string) => `address:${address}`;

export class LockOut {
  readonly #store: SignInAttemptStore;

  constructor(store: SignInAttemptStore) {
    this.#store = store;
  }

  /** Counts an attempt as wrong until one of the others is called. `waitMs` above 0: it must not be looked at. */
  async begin({ account, address }: Trying): Promise<Attempt> {
    const { waitMs, locks } = await this.#store.begin([
      { key: accountKey(account), rule: lockOutRules.account },
      { key: addressKey(address), rule: lockOutRules.address },
    ]);
    const who = (key: string) => (key.startsWith("account:") ? "the account" : "the address");
    const what = [...locks].map(([key, wait]) => `${who(key)} has to wait ${formatDuration(wait)}`);
    return { waitMs, locks: what.length > 0 ? `too many wrong attempts: ${what.join(", ")}` : null };
  }

  /** It was right, but something is still asked for; or it was not judged. */
  takeBack({ account, address }: Trying): Promise<void> {
    return this.#store.takeBack([accountKey(account), addressKey(address)]);
  }

  /** The account's owner has shown who they are. */
  async succeed({ account, address }: Trying): Promise<void> {
    await this.#store.takeBack([addressKey(address)]);
    await this.forgive(account);
  }

  /** Nothing is held against the account any more. */
  forgive(account: string): Promise<void> {
    return this.#store.forget(accountKey(account));
  }
}
