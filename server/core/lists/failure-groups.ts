/** Failures of the same kind as one entry: how often, since when, and whether somebody knows. */
import type { FailureGroup, FailureView } from "../contracts/views";

type Kind = Pick<FailureView, "hostId" | "job" | "code" | "volume">;

function kindOf({ hostId, job, code, volume }: Kind): string {
  return JSON.stringify([hostId, job.id, code, volume]);
}

/**
 * Groups in the order of their newest failures, the latest first. A success of the job resolves all of its failures,
 * so what is open began after it. One acknowledgement stands for the open ones of the kind, also for those that came later.
 */
export function groupFailures(failures: readonly FailureView[]): FailureGroup[] {
  const kinds = new Map<string, FailureView[]>();
  for (const failure of failures) {
    const kind = kindOf(failure);
    const known = kinds.get(kind);
    if (known) known.push(failure);
    else kinds.set(kind, [failure]);
  }
  return [...kinds.values()].flatMap(groupOf).sort((a, b) => Date.parse(b.newest.at) - Date.parse(a.newest.at));
}

/** The group of one failure among all. */
export function groupAround(failure: FailureView, failures: readonly FailureView[]): FailureGroup {
  const kind = kindOf(failure);
  const [group] = groupOf(failures.filter((one) => kindOf(one) === kind));
  if (!group) throw new Error(`failure ${failure.id} is not among those that were given`);
  return group;
}

/** Open, and nobody said that they know. */
export function needsAttention({ resolved, acknowledgement }: FailureGroup): boolean {
  return !resolved && acknowledgement === null;
}

function groupOf(ofKind: FailureView[]): FailureGroup[] {
  const byTime = [...ofKind].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const open = byTime.filter((failure) => !failure.resolved);
  const [newest] = open.length > 0 ? open : byTime;
  const first = (open.length > 0 ? open : byTime).at(-1);
  if (!newest || !first) return [];
  const acknowledgements = open.flatMap(({ acknowledgement }) => acknowledgement ?? []);
  const acknowledgement = acknowledgements.reduce(
    (latest, one) => (latest === null || Date.parse(one.at) > Date.parse(latest.at) ? one : latest),
    acknowledgements[0] ?? null,
  );
  return [
    { newest, open: open.length, times: byTime.length, since: first.at, resolved: open.length === 0, acknowledgement },
  ];
}
