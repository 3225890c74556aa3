/** A worker in a mount namespace of its own, as a service with private mounts is. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { expect, test } from "vitest";
import { cleanupAfterEach } from "../fixtures/cleanup";
import { Installation } from "../fixtures/installation";

const cleanup = cleanupAfterEach();

// Which CPU made the namespace matters to the kernel: of two, one is the harder.
test.each([...cpus().keys()].slice(0, 2))("frozen images are seen when CPU %i made its namespace", async (cpu) => {
  const allowed = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const outside = ["taskset", "-c", String(cpu), "unshare", "--mount", "--propagation", "private"];
  const through = [...outside, "taskset", "-c", allowed];
  const here = await Installation.start(cleanup, { programs: "worker", through });
  await here.must("practice", "create", "inner", "--size", "64M");
  const seen = ["findmnt", "-no", "OPTIONS", here.mount("inner")];
  const frozen = await here.cliBeside("exec", "--volume", "inner", "--min-quiet", "0", "--", ...seen);
  expect(frozen).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ro,/) });
});
