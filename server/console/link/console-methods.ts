/**
 * What the command line asks the console, by way of a worker. Root on the console's own host is its master; root on
 * another has that host's jobs and runs, and nothing else.
 */
import { z } from "zod";
import type { AuditAction } from "@/server/core/access/audit";
import {
  type ConsoleInput,
  type ConsoleMethod,
  type ConsoleOutput,
  consoleMethods,
} from "@/server/core/contracts/console-methods";
import { effectiveJobSchema, jobInputSchema } from "@/server/core/contracts/job";
import { isEnded } from "@/server/core/runs/phases";
import { fault } from "../services/fault-error";
import type { Services } from "../services/services";

/** Most events in one answer; the command line asks again from the last position. */
const LOG_PAGE = 1000;

type Parsed<M extends ConsoleMethod> = Required<ConsoleInput<M>>;
/** The host that asks; `local`: it is the console's own. */
type Caller = { hostId: string; local: boolean };
type Handlers = {
  [M in ConsoleMethod]: (services: Services, input: Parsed<M>, caller: Caller) => Promise<ConsoleOutput<M>>;
};

const handlers: Handlers = {
  "job.list": async ({ jobs }, _input, { hostId, local }) =>
    (await jobs.list()).filter((job) => local || job.hostId === hostId).map((job) => effectiveJobSchema.parse(job)),
  "job.create": async ({ jobs }, input, { hostId }) =>
    effectiveJobSchema.parse(
      await jobs.create(consoleMethods["job.create"].input.transform((job) => ({ ...job, hostId })).parse(input)),
    ),
  "job.update": async ({ jobs }, { job, ...to }) => {
    const { id, hostId } = await jobs.find(job);
    return effectiveJobSchema.parse(await jobs.update(id, jobInputSchema.parse({ ...to, hostId })));
  },
  "job.setPaused": async ({ jobs }, { job, paused }) => {
    const { id } = await jobs.find(job);
    await jobs.setPaused(id, paused);
    return effectiveJobSchema.parse(await jobs.get(id));
  },
  "job.remove": async ({ jobs }, { job }) => {
    await jobs.remove((await jobs.find(job)).id);
    return {};
  },
  "job.run": async ({ jobs, runs }, { job }) => runs.start((await jobs.find(job)).id),
  "run.show": ({ runs }, { run }) => runs.get(run),
  "run.list": ({ runs }, { limit }, { hostId, local }) => runs.list({ limit, hostId: local ? undefined : hostId }),
  "run.cancel": async ({ runs }, { run }) => {
    await runs.cancel(run);
    return {};
  },
  "run.log": async ({ runs, runLog }, { run, after }) => {
    const { id, state } = await runs.get(run);
    const events = await runLog.after(id, after, LOG_PAGE);
    return { events, ended: isEnded(state) && events.length < LOG_PAGE };
  },
  "restore.list": ({ restore }, { run, path }) => restore.list(run, path),
  "restore.start": ({ restore }, { run, paths, target }) => restore.start(run, paths, target),
  "settings.get": ({ settings }) => settings.get(),
  "settings.set": ({ settings }, change) => settings.set(change),
  "settings.importReg": async ({ settings }, { content }) => (await settings.importReg(content)).settings,
  "user.list": ({ users }) => users.list(),
  "user.invite": async ({ users, hosts }, { email, role }, { hostId }) =>
    users.invite(email, role, await rootOn(hosts, hostId)),
  "user.password": async ({ users, hosts }, { email }, { hostId }) =>
    users.passwordLink(email, await rootOn(hosts, hostId)),
  "user.removeSecondFactor": async ({ secondFactors }, { email }) => {
    await secondFactors.remove(email);
    return {};
  },
  "user.role": async ({ users }, { email, role }) => {
    await users.setRole((await users.byEmail(email)).id, role);
    return {};
  },
  "user.remove": async ({ users }, { email }) => {
    await users.remove((await users.byEmail(email)).id);
    return {};
  },
  "signin.link": async ({ accounts }) => ({ url: await accounts.link() }),
};

/** What changes something, as the audit log calls it. */
const audited: Partial<Record<ConsoleMethod, AuditAction>> = {
  "job.create": "jobs.create",
  "job.update": "jobs.update",
  "job.setPaused": "jobs.setPaused",
  "job.remove": "jobs.remove",
  "job.run": "jobs.run",
  "run.cancel": "runs.cancel",
  "restore.start": "restore.start",
  "settings.set": "settings.set",
  "settings.importReg": "settings.importReg",
  "user.invite": "users.invite",
  "user.password": "users.passwordLink",
  "user.removeSecondFactor": "users.removeSecondFactor",
  "user.role": "users.setRole",
  "user.remove": "users.remove",
};

const ofTheConsole = new Set<ConsoleMethod>([
  "settings.set",
  "settings.importReg",
  "user.list",
  "user.invite",
  "user.password",
  "user.removeSecondFactor",
  "user.role",
  "user.remove",
  "signin.link",
]);

/** What the methods call a job or a run by. */
const naming = z.object({ job: z.string().optional(), run: z.string().optional() });

/** Another host's jobs and runs are, for this one, not there. */
async function refuseBeyond(
  { jobs, runs }: Services,
  hostId: string,
  method: ConsoleMethod,
  input: unknown,
): Promise<void> {
  if (ofTheConsole.has(method)) {
    throw fault("denied", "Users and settings are managed on the console's own host, or in the browser.");
  }
  const { job, run } = naming.parse(input);
  if (job !== undefined && (await jobs.find(job)).hostId !== hostId) {
    throw fault("notFound", `There is no job “${job}” on this host.`, { field: "job" });
  }
  if (run !== undefined && (await runs.get(run)).hostId !== hostId) {
    throw fault("notFound", "There is no such run on this host.", { field: "run" });
  }
}

/** How the command line's user is called. */
async function rootOn(hosts: Services["hosts"], hostId: string): Promise<string> {
  return `root on ${(await hosts.get(hostId)).name}`;
}

const isMethod = (name: string): name is ConsoleMethod => Object.hasOwn(consoleMethods, name);

/** Answers a worker's request; throws a `FaultError`. */
export async function answerConsoleMethod(
  services: Services,
  hostId: string,
  name: string,
  params: unknown,
): Promise<unknown> {
  const method = name.replace(/^console\./, "");
  if (!isMethod(method)) throw fault("notFound", `The console knows no method “${name}”.`);
  return answer(method, services, hostId, params);
}

async function answer<M extends ConsoleMethod>(method: M, services: Services, hostId: string, params: unknown) {
  const input = consoleMethods[method].input.safeParse(params ?? {});
  if (!input.success) {
    const [issue] = input.error.issues;
    const field = issue?.path.join(".") || null;
    throw fault("invalid", [field, issue?.message].filter(Boolean).join(": "), { field });
  }
  const local = await services.hosts.isLocal(hostId);
  if (!local) await refuseBeyond(services, hostId, method, input.data);
  const work = () => handlers[method](services, input.data as Parsed<M>, { hostId, local });
  const action = audited[method];
  if (!action) return work();
  const by = await rootOn(services.hosts, hostId);
  return services.audit.around({ by, role: null, address: null }, action, input.data, work);
}
