/** Everything the console can do, wired together once. Routers and the link know only this. */
import path from "node:path";
import type { Logger } from "pino";
import { AccountStore } from "../data/accounts";
import { ActivityStore } from "../data/activity";
import { ApiKeyStore } from "../data/api-keys";
import { AuditStore } from "../data/audit";
import type { Database } from "../data/database";
import { EndedRunStore } from "../data/ended-runs";
import { FailureStore } from "../data/failures";
import { FeedbackStore } from "../data/feedback";
import { FigureStore } from "../data/figures";
import { HostInvitationStore } from "../data/host-invitations";
import { HostStore } from "../data/hosts";
import { JobStore } from "../data/jobs";
import { ChannelStore } from "../data/notification-channels";
import { DeliveryStore } from "../data/notification-deliveries";
import { ReadinessStore } from "../data/readiness";
import { EventStore } from "../data/run-events";
import { SampleStore } from "../data/run-samples";
import { RunStore } from "../data/runs";
import { SecondFactorStore } from "../data/second-factors";
import { SessionStore } from "../data/sessions";
import { SettingStore } from "../data/settings";
import { SignInAttemptStore } from "../data/sign-in-attempts";
import { SingleSignOnStore } from "../data/single-sign-on";
import { Accounts } from "./accounts/accounts";
import { LockOut } from "./accounts/lock-out";
import { SecondFactors } from "./accounts/second-factors";
import { SingleSignOn } from "./accounts/single-sign-on/single-sign-on";
import { Users } from "./accounts/users";
import { ApiKeys } from "./api-keys/api-keys";
import { Audit } from "./audit/audit";
import { Cache } from "./cache/cache";
import { Diagnostics } from "./diagnostics/diagnostics";
import { Actions } from "./failures/actions";
import { Failures } from "./failures/failures";
import { History } from "./history/history";
import { HistoryRecorder } from "./history/recorder";
import { Hosts } from "./hosts/hosts";
import { Joining } from "./hosts/joining";
import { Jobs } from "./jobs/jobs";
import { MeasuredRuns } from "./metrics/measured-runs";
import { Metrics } from "./metrics/metrics";
import { Dispatcher } from "./notifications/dispatcher";
import { Notifications } from "./notifications/notifications";
import { Planner } from "./notifications/planner";
import { Sender } from "./notifications/sender";
import { OverviewService } from "./overview/overview";
import { Restore } from "./restore/restore";
import { Reconciler } from "./runs/reconcile";
import { RunLog } from "./runs/run-log";
import { Runs } from "./runs/runs";
import { Scheduler } from "./schedule/scheduler";
import { WaitingStarts } from "./schedule/waiting-starts";
import type { Vault } from "./secrets/vault";
import { SettingsService } from "./settings/settings";
import { RunRecorder } from "./telemetry/run-recorder";
import { Telemetry } from "./telemetry/telemetry";
import { Volumes } from "./volumes/volumes";

export type ServiceOptions = {
  /** STILLFRAME_HOME and STILLFRAME_RUN. */
  home: string;
  run: string;
  /** Where browsers reach the console, for the sign-in link. */
  origin: string;
  version: string;
  /** The host name for which browsers keep passkeys. */
  passkeyHost: string;
  /** The clock of the schedule. */
  now: () => Date;
};

export function makeServices(db: Database, vault: Vault, log: Logger, options: ServiceOptions) {
  const { home, run, origin, version, passkeyHost, now } = options;
  const hostStore = new HostStore(db);
  const jobStore = new JobStore(db);
  const runStore = new RunStore(db);
  const settingStore = new SettingStore(db);

  const accountStore = new AccountStore(db);
  const lockOut = new LockOut(new SignInAttemptStore(db));
  const users = new Users(accountStore, origin);
  const accounts = new Accounts(accountStore, lockOut, path.join(home, "console", "signin-link"), origin);
  const local = { workerSocket: path.join(run, "worker.sock"), workerLog: path.join(home, "log", "worker.log") };
  const hosts = new Hosts(hostStore, settingStore, { version, local });
  const audit = new Audit(new AuditStore(db), log);
  const joining = new Joining(new HostInvitationStore(db), { hosts, audit, origin });
  const recorder = new RunRecorder(new SampleStore(db), hosts, log);
  const telemetry = new Telemetry(hosts, recorder);
  const activityStore = new ActivityStore(db);
  const historyRecorder = new HistoryRecorder(activityStore, log);
  const volumes = new Volumes(hostStore, hosts, telemetry, historyRecorder);
  const history = new History(activityStore);
  const measured = new MeasuredRuns();
  const runLog = new RunLog(new EventStore(db), runStore, recorder, measured);
  const runs = new Runs({
    runs: runStore,
    jobs: jobStore,
    settings: settingStore,
    log: runLog,
    hosts,
    telemetry,
    recorder,
    vault,
  });
  const waiting = new WaitingStarts();
  const jobs = new Jobs({
    jobs: jobStore,
    runs: runStore,
    settings: settingStore,
    hostStore,
    hosts,
    vault,
    waiting,
    now,
  });
  const failureStore = new FailureStore(db);
  const failures = new Failures(failureStore, runLog, hosts);
  const settings = new SettingsService(settingStore, hosts, log);
  const cache = new Cache(hosts, log);
  const figures = new FigureStore(db);
  const channels = new ChannelStore(db);
  const deliveries = new DeliveryStore(db);
  const sender = new Sender(vault);
  const planner = new Planner({ ended: new EndedRunStore(db), channels, hosts, origin, log });
  const dispatcher = new Dispatcher({ deliveries, planner, sender, log });
  const notifications = new Notifications({ channels, deliveries, sender, dispatcher, origin });
  runLog.ends.listen(() => dispatcher.wake());
  return {
    version,
    accounts,
    apiKeys: new ApiKeys(new ApiKeyStore(db)),
    audit,
    lockOut,
    singleSignOn: new SingleSignOn({ store: new SingleSignOnStore(db), vault, audit, origin, log }),
    users,
    secondFactors: new SecondFactors(new SecondFactorStore(db), users, vault, passkeyHost),
    sessions: new SessionStore(db),
    hosts,
    joining,
    telemetry,
    recorder,
    volumes,
    history,
    historyRecorder,
    runLog,
    runs,
    reconciler: new Reconciler(runStore, runLog, log),
    jobs,
    scheduler: new Scheduler({ store: jobStore, jobs, runs, runLog, hosts, waiting, audit, log }, now),
    failures,
    actions: new Actions({ failures, jobs, runs, hosts, settings, history }),
    settings,
    diagnostics: new Diagnostics({
      hosts,
      jobs,
      runs: runStore,
      failures,
      failureStore,
      settings,
      log,
      version,
      consoleLog: path.join(home, "log", "console.log"),
    }),
    notifications,
    dispatcher,
    restore: new Restore(runStore, { runs, jobs, hosts }),
    cache,
    feedback: new FeedbackStore(db),
    metrics: new Metrics({ figures, measured, hosts, volumes, telemetry, cache, jobs, runs, version }),
    readiness: new ReadinessStore(db),
    overview: new OverviewService({ hosts, volumes, runs, jobs, failures, cache, notifications }),
  };
}

export type Services = ReturnType<typeof makeServices>;
