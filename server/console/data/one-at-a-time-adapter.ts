/**
 * The SQLite driver with transactions that nothing else can slip into.
 *
 * The driver holds one connection. Its transactions wait for each other, but a query outside of a transaction
 * does not wait for the one that is open: on the one connection it would run inside it, be rolled back with it,
 * and see what is not yet committed. "Acknowledge after commit" would then mean nothing. Here such a query
 * waits until the transaction has ended. The price: inside `$transaction(async (tx) => …)` only `tx` may be
 * used; the client itself would wait for ever.
 */
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";

type Driver = Awaited<ReturnType<PrismaBetterSqlite3["connect"]>>;

export class OneAtATimeSqlite extends PrismaBetterSqlite3 {
  override async connect(): Promise<Driver> {
    const driver = await super.connect();
    await driver.executeScript(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;",
    );
    return waitingForTransactions(driver);
  }
}

function waitingForTransactions(driver: Driver): Driver {
  let open: Promise<void> = Promise.resolve();
  const queryRaw = driver.queryRaw.bind(driver);
  const executeRaw = driver.executeRaw.bind(driver);
  const startTransaction = driver.startTransaction.bind(driver);

  const untilNoneIsOpen = async () => {
    for (let seen: Promise<void> | null = null; seen !== open; ) {
      seen = open;
      await seen;
    }
  };
  driver.queryRaw = async (query) => {
    await untilNoneIsOpen();
    return queryRaw(query);
  };
  driver.executeRaw = async (query) => {
    await untilNoneIsOpen();
    return executeRaw(query);
  };
  driver.startTransaction = async (isolation) => {
    const before = open;
    let end = () => {};
    open = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      const transaction = await startTransaction(isolation);
      const commit = transaction.commit.bind(transaction);
      const rollback = transaction.rollback.bind(transaction);
      transaction.commit = () => commit().finally(end);
      transaction.rollback = () => rollback().finally(end);
      return transaction;
    } catch (error) {
      end();
      throw error;
    }
  };
  return driver;
}
