import Link from "next/link";

const told: readonly (readonly [name: string, what: string])[] = [
  ["STILLFRAME_PHASE", "pre-freeze, freeze-hold, post-snapshot or post-run"],
  ["STILLFRAME_JOB, STILLFRAME_RUN_ID", "the job’s name, the run’s id"],
  ["STILLFRAME_VOLUMES, STILLFRAME_MOUNTS", "the volumes of this snapshot, and where they are mounted; one a line"],
  ["STILLFRAME_MODE", "all-at-once or one-at-a-time: then hooks run for each volume’s snapshot"],
  ["STILLFRAME_OUTCOME, STILLFRAME_CODE", "after the snapshot and at the end: how it went, and the code of a failure"],
];

/** What whoever writes a hook needs to know, in place. */
export function HooksHelp() {
  return (
    <details className="mt-3 text-[0.8125rem] text-mute">
      <summary className="w-fit cursor-pointer rounded text-accent">How hooks run</summary>
      <ul className="mt-2 list-disc space-y-1 pl-5">
        <li>
          In this order: before the freeze; the wait for quiet; holding; the freeze, some milliseconds; let go; after
          the snapshot; the backup; at the run’s end.
        </li>
        <li>
          As root in /, without a terminal and without anything to read. PATH holds the system’s directories. What a
          hook starts ends with it, unless it has a session of its own.
        </li>
        <li>
          Who takes longer than it may is ended with all that it started. Before the instant that is SF-104 and no
          snapshot, or a warning, as you choose; after it, always a warning.
        </li>
        <li>
          Keep passwords out of commands: everybody who sees this job sees them. Put them where the application’s own
          programs look, such as /root/.my.cnf or /root/.pgpass.
        </li>
        <li>
          The last lines of what it prints stand in the run’s log.{" "}
          <Link href="/articles/SF-104" className="text-accent underline">
            More, with examples
          </Link>
        </li>
      </ul>
      <dl className="mt-3 space-y-1.5">
        {told.map(([name, what]) => (
          <div key={name} className="flex flex-wrap gap-x-3">
            <dt className="wrap-anywhere font-mono text-[0.75rem] text-ink leading-5">{name}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
