"use client";
import { useSyncExternalStore } from "react";
import { Card, CardTitle } from "@/app/components/card";

const offers: readonly { name: string; href: string | null; does: string; download?: boolean }[] = [
  {
    name: "HTTP API",
    href: "/api/v1/openapi.json",
    does: "Jobs, runs, volumes and failures under /api/v1, described as OpenAPI 3.1. Scopes: Read, Run, Manage.",
  },
  {
    name: "Metrics",
    href: null,
    does: "OpenMetrics at /metrics, for Prometheus and what understands it. Scope: Metrics, or Read.",
  },
  {
    name: "Grafana dashboard",
    href: "/monitoring/grafana-dashboard.json",
    does: "Import the file in Grafana; it asks for the Prometheus it should read.",
    download: true,
  },
  {
    name: "Alert rules",
    href: "/monitoring/alert-rules.yml",
    does: "For Prometheus: failed and overdue backups, absent hosts, caches that fill. How to scrape is in its head.",
    download: true,
  },
];

const never = () => () => {};
const hereOf = () => window.location.origin;
const anywhere = () => "https://this-console";

/** What a key opens, and the files that go with it. */
export function ProgramsGuide() {
  const origin = useSyncExternalStore(never, hereOf, anywhere);
  return (
    <Card>
      <CardTitle>What there is for programs</CardTitle>
      <dl className="space-y-3">
        {offers.map(({ name, href, does, download }) => (
          <div key={name} className="flex flex-wrap gap-x-4">
            <dt className="w-40 font-medium">
              {href === null ? (
                name
              ) : (
                <a href={href} download={download} className="text-accent hover:underline">
                  {name}
                </a>
              )}
            </dt>
            <dd className="min-w-0 flex-[1_1_16rem] text-mute">{does}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-4 mb-1.5 text-mute">A key is sent with every request:</p>
      <pre className="wrap-anywhere whitespace-pre-wrap rounded-lg bg-soft px-3 py-2 font-mono text-xs">
        curl -H &quot;Authorization: Bearer $KEY&quot; {origin}/api/v1/runs
      </pre>
    </Card>
  );
}
