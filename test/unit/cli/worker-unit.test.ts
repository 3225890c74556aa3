import { expect, test } from "vitest";
import { workerUnit } from "@/server/cli/joining/worker-unit";

const service = { node: "/usr/bin/node", program: "/opt/stillframe/current/dist/worker.js" };

test("a value is what systemd reads back: specifiers, quotes and backslashes are escaped", () => {
  const unit = workerUnit({ ...service, environment: { STILLFRAME_HOME: String.raw`/srv/100% "own"\state` } });
  expect(unit).toContain(String.raw`Environment="STILLFRAME_HOME=/srv/100%% \"own\"\\state"`);
});

test("no value makes a line of its own", () => {
  const unit = workerUnit({ ...service, environment: { STILLFRAME_HOME: "/srv\nExecStartPre=/bin/evil" } });
  expect(unit.split("\n").filter((line) => line.startsWith("Exec"))).toEqual([
    'ExecStart="/usr/bin/node" --enable-source-maps "/opt/stillframe/current/dist/worker.js"',
  ]);
});

test("engines outlive the service, and a restart of it follows any end, however often", () => {
  const unit = workerUnit({ ...service, environment: {} });
  const lines = unit.split("\n");
  expect(lines).toEqual(expect.arrayContaining(["KillMode=process", "Restart=always", "WantedBy=multi-user.target"]));
  // In another section systemd passes over it.
  expect(unit.slice(0, unit.indexOf("[Service]"))).toContain("\nStartLimitIntervalSec=0\n");
});

test("a backup program that the kernel ends for want of memory does not end the service", () => {
  expect(workerUnit({ ...service, environment: {} })).toContain("\nOOMPolicy=continue\n");
});

test("it has started once its volumes are mounted, so that a database can be ordered after it", () => {
  const lines = workerUnit({ ...service, environment: {} }).split("\n");
  expect(lines).toEqual(expect.arrayContaining(["Type=notify", "NotifyAccess=all", "TimeoutStartSec=infinity"]));
});
