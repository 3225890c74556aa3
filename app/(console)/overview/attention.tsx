"use client";
import Link from "next/link";
import { Button } from "@/app/components/button";
import { plural } from "@/app/components/format";
import { Note } from "@/app/components/note";
import { Sentence } from "@/app/components/sentence";
import { CodeTag } from "@/app/components/state-badge";
import { Ago } from "@/app/components/time";
import type { Overview } from "@/server/core/contracts/views";
import { errorTitles } from "@/server/core/errors/titles";
import { formatBytes } from "@/server/core/text/bytes";
import { May } from "../access/may";

const AWAY_SHOWN = 3;

/** What needs a person, before all else. Nothing when nothing does. */
export function Attention({ overview }: { overview: Overview }) {
  const { failures, totals } = overview;
  const away = overview.hosts.filter((host) => !host.connected && host.lastSeenAt !== null).slice(0, AWAY_SHOWN);
  return (
    <>
      {away.map((host) => (
        <Note
          key={host.id}
          tone="loss"
          title={`${host.name} does not answer`}
          action={
            <Button asChild size="small">
              <Link href="/hosts">Look at hosts</Link>
            </Button>
          }
        >
          Runs there go on without the console and are reported when it is back.{" "}
          {host.lastSeenAt && (
            <>
              Last heard <Ago at={host.lastSeenAt} />.
            </>
          )}
        </Note>
      ))}
      {totals.hostsAway > AWAY_SHOWN && (
        <p className="text-mute">
          <Link href="/hosts" className="text-accent underline">
            All {totals.hostsAway} hosts that are not connected
          </Link>
        </p>
      )}
      {failures.map(({ newest: failure, open }) => (
        <Note
          key={failure.id}
          tone="loss"
          title={
            <span className="flex flex-wrap items-center gap-2">
              {errorTitles[failure.code]} <CodeTag code={failure.code} />
            </span>
          }
          action={
            <Button asChild size="small" kind="primary">
              <Link href={`/troubleshoot/${failure.id}`}>Fix it</Link>
            </Button>
          }
        >
          {failure.job.name}
          {failure.volume && `, ${failure.volume}`}, {open > 1 && `${plural(open, "time")}, last `}
          <Ago at={failure.at} />. <Sentence text={failure.message} />
        </Note>
      ))}
      {totals.failures > failures.length && (
        <p className="text-mute">
          <Link href="/troubleshoot" className="text-accent underline">
            All {totals.failures} open failures
          </Link>
        </p>
      )}
      {overview.silentChannels.length > 0 && (
        <Note
          tone="warn"
          title="Notifications are not delivered"
          action={
            <May permission="manageNotifications">
              <Button asChild size="small">
                <Link href="/settings/notifications">Look at channels</Link>
              </Button>
            </May>
          }
        >
          The last message of {overview.silentChannels.join(", ")} did not arrive.
        </Note>
      )}
      {totals.orphanBytes > 0 && (
        <Note
          tone="warn"
          title="Orphaned cache files"
          action={
            <Button asChild size="small">
              <Link href="/cache">Look at caches</Link>
            </Button>
          }
        >
          {formatBytes(totals.orphanBytes)} that no snapshot uses.
        </Note>
      )}
    </>
  );
}
