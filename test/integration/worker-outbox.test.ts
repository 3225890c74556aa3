/** The worker's outbox on a real disk: nothing that was promised is lost, nothing is numbered twice. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunEvent } from "@/server/core/contracts/run";
import { Outbox } from "@/server/worker/link/outbox";
import { mustRun } from "@/server/worker/programs/run-program";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { pause } from "../fixtures/native-program";

const cleanup = cleanupAfterEach();
const event = (text: string): RunEvent => ({
  type: "log",
  at: "2026-11-22T02:05:12.218Z",
  level: "info",
  text,
  code: null,
});

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "stillframe-outbox-"));
  cleanup.add("remove the outbox", () => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function open(path: string): Promise<Outbox> {
  const outbox = new Outbox(path);
  await outbox.load();
  cleanup.add("close the outbox", () => outbox.close());
  return outbox;
}

test("events of a killed worker are there again, in order, and a torn last line is forgotten", async () => {
  const path = directory();
  const first = await open(path);
  await Promise.all(["a", "b", "c"].map((text) => first.append("run", event(text))));
  appendFileSync(join(path, "events.jsonl"), '{"seq":4,"runId":"run","event":{"type":"lo');
  const second = await open(path);
  expect(second.outboxId).toBe(first.outboxId);
  expect(second.after(0).map((e) => e.seq)).toEqual([1, 2, 3]);
  await second.append("run", event("d"));
  expect((await open(path)).after(3).map((e) => e.event)).toEqual([event("d")]);
});

test("acknowledged events leave the disk, and numbers go on where they were", async () => {
  const path = directory();
  const outbox = await open(path);
  for (let n = 1; n <= 20; n += 1) await outbox.append("run", event(`event ${n}`));
  outbox.acknowledge(20);
  await outbox.close();
  expect(readFileSync(join(path, "events.jsonl"), "utf8")).not.toContain("event 3");
  const next = await open(path);
  expect(next.after(0)).toEqual([]);
  await next.append("run", event("next"));
  expect(next.after(0).map((e) => e.seq)).toEqual([21]);
});

test("events that are appended while others are acknowledged are all kept", async () => {
  const path = directory();
  const outbox = await open(path);
  const appending: Promise<void>[] = [];
  outbox.onEntry(({ seq }) => outbox.acknowledge(seq - 3));
  for (let n = 1; n <= 1500; n += 1) {
    appending.push(outbox.append("run", event(`event ${n}`)));
    if (n % 7 === 0) await appending.at(-1);
  }
  await Promise.all(appending);
  await outbox.close();
  const kept = (await open(path)).after(0).map((e) => e.seq);
  // Acknowledged ones may still be there: the console says again what it has. None of the others may be missing.
  expect(kept.slice(-3)).toEqual([1498, 1499, 1500]);
  expect(kept).toEqual(kept.map((_, i) => (kept[0] ?? 0) + i));
  expect(kept.length).toBeLessThan(1000);
});

test("on a full disk an event waits, and is kept as soon as there is room", async () => {
  const path = directory();
  await mustRun("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]);
  cleanup.add("unmount the small disk", () => mustRun("umount", [path]));
  const outbox = await open(path);
  await outbox.append("run", event("before"));
  await mustRun("/bin/sh", ["-c", 'dd if=/dev/zero of="$1/filler" bs=1k count=64 2>/dev/null; true', "sh", path]);
  let stored = false;
  const waiting = outbox.append("run", event("x".repeat(8000))).then(() => {
    stored = true;
  });
  await pause(300);
  expect(stored).toBe(false);
  rmSync(join(path, "filler"));
  await waiting;
  await outbox.close();
  const next = await open(path);
  expect(next.after(0).map((e) => e.seq)).toEqual([1, 2]);
  await next.close();
});
