/** The console as a whole: opened from an environment, closed in order. `main.ts` is its process. */
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Logger } from "pino";
import { openDatabase } from "./data/database";
import { type Environment, originOf, passkeyHostOf, plainBindOf } from "./environment";
import { readKeyPair } from "./http/certificate";
import { HttpServer } from "./http/http-server";
import type { Pages } from "./http/pages";
import { hashKey } from "./link/host-key";
import { programRoot } from "./program-root";
import { makeAuth } from "./services/accounts/auth";
import { readOrCreateKey } from "./services/secrets/key-file";
import { Vault } from "./services/secrets/vault";
import { makeServices } from "./services/services";

export type Console = { close: () => Promise<void> };

/**
 * Opens the database, serves, and leaves the sign-in link for `stillframe up`. Throws when the port is taken.
 * `now` is the clock of the schedule.
 */
export async function openConsole(
  environment: Environment,
  pages: Pages,
  log: Logger,
  now: () => Date = () => new Date(),
): Promise<Console> {
  const { home, run, port, bind, hostKeyFile, publicUrl, tls, trustedProxies, metricsAccess, developing } = environment;
  // Before anything is opened: a bad certificate is the administrator's to mend.
  if (tls) readKeyPair(tls);
  const directory = path.join(home, "console");
  const db = await openDatabase(directory);
  const vault = new Vault(readOrCreateKey(path.join(directory, "secret.key")));
  const passkeyHost = passkeyHostOf(environment);
  const origin = originOf(environment);
  const services = makeServices(db, vault, log, { home, run, origin, version: version(), passkeyHost, now });
  await services.hosts.ensureLocal(os.hostname(), hashKey(readOrCreateKey(hostKeyFile)));
  await services.runs.resume();
  await services.audit.forget();
  await services.notifications.forget();
  const secureCookies = origin.startsWith("https:");
  const auth = makeAuth(db, vault, log, services, { publicUrl, secureCookies, passkeyHost });
  const http = new HttpServer({
    services,
    auth,
    pages,
    log,
    publicUrl,
    tls,
    trustedProxies,
    metricsAccess,
    developing,
  });
  await services.accounts.link();
  await http.listen(port, plainBindOf(environment), bind);
  services.dispatcher.start();
  services.scheduler.start();
  return {
    close: async () => {
      const scheduling = services.scheduler.close();
      await http.close();
      await scheduling;
      await pages.close();
      await services.recorder.close();
      await services.historyRecorder.close();
      await services.dispatcher.close();
      await db.$disconnect();
    },
  };
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(path.join(programRoot(), "package.json"), "utf8"));
  return String(text);
}
