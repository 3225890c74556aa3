/** What became of the company's jobs in the last days, and one run that is on. */
import { failures } from "./company-failures";
import { DAY, HOUR, MINUTE, NOW, SECOND } from "./moment";
import { type Story, type Told, tell } from "./run-story";

const FIRST = 182;
/** Pages of these runs are looked at. */
type Named = "succeeded" | "oneAtATime" | "cacheFull" | "live" | "interrupted" | "cancelled" | "warnings";

const told: (Omit<Told, "number"> & { is?: Named })[] = [
  {
    ...{ job: "database", from: NOW - 4 * DAY - 8.69 * HOUR, tookMs: 31 * MINUTE, is: "interrupted" },
    failure: failures.interrupted,
  },
  { job: "database", from: NOW - 4 * DAY, tookMs: 42 * SECOND, startedBy: "Ада", failure: failures.hook },
  { job: "database", from: NOW - 3 * DAY - 8.69 * HOUR, tookMs: 18 * MINUTE, failure: failures.unreachable },
  {
    ...{ job: "documents", from: NOW - 3 * DAY - 7.19 * HOUR, tookMs: 12 * MINUTE, startedBy: "Grace Hopper" },
    ...{ end: { outcome: "cancelled" }, is: "cancelled" },
  },
  {
    ...{ job: "database", from: NOW - 2 * DAY - 8.69 * HOUR, tookMs: 49 * MINUTE, is: "warnings" },
    withoutQuiet: true,
    end: {
      outcome: "warnings",
      said: ["/home: 2 files could not be read: /home/ada/.gvfs, /home/grace/.cache/doc (Permission denied)"],
    },
  },
  ...[46, 45, 44].map(
    (hours): Omit<Told, "number"> => ({
      job: "home",
      from: NOW - hours * HOUR + 93 * SECOND,
      tookMs: 4 * MINUTE + hours * SECOND,
    }),
  ),
  { job: "vault", from: NOW - 43.4 * HOUR, tookMs: 11 * MINUTE, startedBy: "Grace Hopper", failure: failures.exit },
  { job: "mail", from: NOW - DAY - 11.7 * HOUR, tookMs: 37 * MINUTE },
  { job: "web", from: NOW - DAY - 6.7 * HOUR, tookMs: 9 * MINUTE },
  { job: "vault", from: NOW - 22.2 * HOUR, tookMs: 12 * MINUTE, startedBy: "Grace Hopper" },
  { job: "vault", from: NOW - 21.1 * HOUR, tookMs: 11 * MINUTE, startedBy: "Grace Hopper", failure: failures.exit },
  { job: "documents", from: NOW - 31.2 * HOUR, tookMs: 74 * MINUTE, oneAtATime: true, is: "oneAtATime" },
  { job: "mail", from: NOW - 10.7 * HOUR, tookMs: 0, missed: true, failure: failures.missed },
  { job: "database", from: NOW - 8.69 * HOUR, tookMs: 51 * MINUTE, is: "succeeded" },
  { job: "documents", from: NOW - 7.19 * HOUR, tookMs: 22 * MINUTE, failure: failures.cacheFull, is: "cacheFull" },
  { job: "web", from: NOW - 6.69 * HOUR, tookMs: 0, failure: failures.noQuiet },
  { job: "home", from: NOW - 2.44 * HOUR, tookMs: 4.4 * MINUTE },
  { job: "home", from: NOW - 1.44 * HOUR, tookMs: 4.1 * MINUTE },
  { job: "database", from: NOW - 7 * MINUTE, tookMs: 10 * MINUTE, startedBy: "Ада", live: true, is: "live" },
];

export const stories: Story[] = told.map(({ is: _, ...one }, i) => tell({ ...one, number: FIRST + i }));

export function runNamed(name: Named): string {
  const story = stories[told.findIndex(({ is }) => is === name)];
  if (!story) throw new Error(`no run is ${name}`);
  return story.run.id;
}
