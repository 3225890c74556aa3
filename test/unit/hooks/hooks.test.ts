import { expect, test } from "vitest";
import { hooksOf } from "@/server/cli/hook-options";
import { type Hook, hookSchema } from "@/server/core/contracts/hooks";
import { jobInputSchema } from "@/server/core/contracts/job";
import { hookLabels, hookPhrase } from "@/server/core/hooks/hook-words";

const hook = (at: Hook["at"], name = ""): Hook => hookSchema.parse({ at, name, command: "true" });

test("a hook without a name is called after its moment, with a number where there are several", () => {
  expect(hookLabels([hook("preFreeze"), hook("postRun"), hook("preFreeze"), hook("preFreeze", "flush")])).toEqual([
    "pre-freeze hook 1",
    "post-run hook",
    "pre-freeze hook 2",
    "flush",
  ]);
  expect(hookPhrase("preFreeze", "pre-freeze hook 2")).toBe("the pre-freeze hook 2");
  expect(hookPhrase("preFreeze", "flush")).toBe('the pre-freeze hook "flush"');
  expect(hookPhrase(null, "flush")).toBe('the hook "flush"');
  expect(hookPhrase(null, null)).toBe("the hook");
});

test("two hooks of a job cannot have one name, for a failure names them by it", () => {
  const job = (hooks: Hook[]) =>
    jobInputSchema.safeParse({
      name: "Nightly",
      hostId: "host",
      selection: { volumes: ["data"] },
      destination: { kind: "command", command: "true" },
      hooks,
    });
  expect(job([hook("preFreeze", "flush"), hook("postRun", "mail")]).success).toBe(true);
  for (const names of [
    ["flush", "flush"],
    ["", "pre-freeze hook"],
  ]) {
    const { error } = job(names.map((name) => hook("preFreeze", name)));
    expect(error?.issues).toMatchObject([{ path: ["hooks", 1, "name"] }]);
  }
});

test("what cannot be run is refused with its field", () => {
  const wrong = (change: object) => hookSchema.safeParse({ at: "preFreeze", command: "true", ...change }).error?.issues;
  expect(wrong({})).toBeUndefined();
  expect(wrong({ command: ["", "x"] })).toHaveLength(1);
  expect(wrong({ command: [] })).toHaveLength(1);
  expect(wrong({ command: "  " })).toHaveLength(1);
  expect(wrong({ command: "a\0b" })).toHaveLength(1);
  expect(wrong({ timeoutMs: 1_800_001 })).toMatchObject([{ path: ["timeoutMs"] }]);
  expect(wrong({ timeoutMs: 10 })).toMatchObject([{ path: ["timeoutMs"] }]);
});

test("options of the command line become hooks in the order of their moments", () => {
  const hooks = hooksOf({ postRun: ["d"], preFreeze: ["a", "b"], freezeHold: ["c"], hookTimeout: 5000 });
  expect(hooks.map(({ at, command, timeoutMs }) => [at, command, timeoutMs])).toEqual([
    ["preFreeze", "a", 5000],
    ["preFreeze", "b", 5000],
    ["freezeHold", "c", 5000],
    ["postRun", "d", 5000],
  ]);
  expect(hooksOf({})).toEqual([]);
  expect(() => hooksOf({ hookFailure: "warn" })).toThrow("need a hook");
});
