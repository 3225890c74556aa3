/** The console's API. Browser code imports the type only. */
import { accountRouter } from "./account/account-router";
import { apiKeysRouter } from "./api-keys/api-keys-router";
import { articlesRouter } from "./articles/articles-router";
import { auditRouter } from "./audit/audit-router";
import { cacheRouter } from "./cache/cache-router";
import { failuresRouter } from "./failures/failures-router";
import { historyRouter } from "./history/history-router";
import { hostsRouter } from "./hosts/hosts-router";
import { jobsRouter } from "./jobs/jobs-router";
import { liveRouter } from "./live/live-router";
import { notificationsRouter } from "./notifications/notifications-router";
import { overviewRouter } from "./overview/overview-router";
import { router } from "./procedures";
import { restoreRouter } from "./restore/restore-router";
import { runsRouter } from "./runs/runs-router";
import { searchRouter } from "./search/search-router";
import { settingsRouter } from "./settings/settings-router";
import { singleSignOnRouter } from "./single-sign-on/single-sign-on-router";
import { usersRouter } from "./users/users-router";
import { volumesRouter } from "./volumes/volumes-router";

export const appRouter = router({
  account: accountRouter,
  singleSignOn: singleSignOnRouter,
  users: usersRouter,
  audit: auditRouter,
  apiKeys: apiKeysRouter,
  overview: overviewRouter,
  hosts: hostsRouter,
  volumes: volumesRouter,
  history: historyRouter,
  jobs: jobsRouter,
  runs: runsRouter,
  live: liveRouter,
  search: searchRouter,
  restore: restoreRouter,
  failures: failuresRouter,
  articles: articlesRouter,
  cache: cacheRouter,
  settings: settingsRouter,
  notifications: notificationsRouter,
});

export type AppRouter = typeof appRouter;
