import { expect, test } from "vitest";
import type { FailureView } from "@/server/core/contracts/views";
import { groupAround, groupFailures, needsAttention } from "@/server/core/lists/failure-groups";
import { failureListSchema, listFailures } from "@/server/core/lists/failure-list";

const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 2, minute)).toISOString();

const failure = (id: string, minute: number, more: Partial<FailureView> = {}): FailureView => ({
  id,
  code: "a000851c",
  at: at(minute),
  runId: `run ${id}`,
  job: { id: "nightly", name: "Nightly" },
  hostId: "one",
  volume: "data",
  message: "no room",
  resolved: false,
  acknowledgement: null,
  ...more,
});
const known = (minute: number, note: string | null = null) => ({
  acknowledgement: { by: "ada@example.net", at: at(minute), note },
});

test("failures of one job, host, code and volume are one entry; any other is one of its own", () => {
  const groups = groupFailures([
    failure("a", 1),
    failure("b", 9, { message: "no room again" }),
    failure("other volume", 2, { volume: "db" }),
    failure("no volume", 3, { volume: null }),
    failure("other code", 4, { code: "OFO-QUIET" }),
    failure("other job", 5, { job: { id: "weekly", name: "Nightly" } }),
    failure("other host", 6, { hostId: "two" }),
  ]);
  expect(groups.map(({ newest }) => newest.id)).toEqual([
    "b",
    "other host",
    "other job",
    "other code",
    "no volume",
    "other volume",
  ]);
  expect(groups[0]).toMatchObject({ open: 2, times: 2, since: at(1), newest: { message: "no room again" } });
});

test("a job that was renamed keeps its group", () => {
  expect(
    groupFailures([failure("a", 1), failure("b", 2, { job: { id: "nightly", name: "Each night" } })]),
  ).toHaveLength(1);
});

test("what failed before the job last succeeded is counted, but the group is open since the first after it", () => {
  const [group] = groupFailures([
    failure("c", 30),
    failure("b", 20),
    failure("a", 10, { resolved: true }),
    failure("0", 5, { resolved: true }),
  ]);
  expect(group).toMatchObject({ open: 2, times: 4, since: at(20), resolved: false, newest: { id: "c" } });
});

test("a group whose failures are all resolved is resolved, since its first, and its acknowledgement has ended", () => {
  const [group] = groupFailures([
    failure("b", 20, { resolved: true, ...known(21) }),
    failure("a", 10, { resolved: true }),
  ]);
  expect(group).toMatchObject({ open: 0, times: 2, since: at(10), resolved: true, acknowledgement: null });
});

test("one acknowledgement stands for those that come later, until the job succeeds; then it begins anew", () => {
  const first = failure("a", 1, known(2, "disk is ordered"));
  const [acknowledged] = groupFailures([failure("b", 5), first]);
  expect(acknowledged?.acknowledgement).toEqual(known(2, "disk is ordered").acknowledgement);
  const [again] = groupFailures([failure("c", 9), { ...first, resolved: true }]);
  expect(again?.acknowledgement).toBeNull();
  expect([acknowledged, again].map((group) => group && needsAttention(group))).toEqual([false, true]);
});

test("of several acknowledgements the latest is told", () => {
  const [group] = groupFailures([failure("a", 3, known(4, "second")), failure("b", 2, known(3, "first"))]);
  expect(group?.acknowledgement?.note).toBe("second");
});

test("the group of a failure is found also by one of its older failures", () => {
  const all = [failure("a", 1), failure("b", 2), failure("x", 3, { volume: "db" })];
  expect(groupAround(failure("a", 1), all)).toMatchObject({ newest: { id: "b" }, times: 2 });
});

test("the list shows what needs attention first of all, and finds words in any of a failure's fields", () => {
  const groups = groupFailures([
    failure("open", 1),
    failure("known", 2, { volume: "db", ...known(3) }),
    failure("settled", 3, { volume: "mail", resolved: true }),
    failure("else", 4, { hostId: "two", code: "OFO-QUIET", volume: null }),
  ]);
  const shown = (asked: object) =>
    listFailures(groups, failureListSchema.parse(asked), (id) => `host-${id}`).items.map(({ newest }) => newest.id);
  expect(shown({})).toEqual(["else", "open"]);
  expect(shown({ state: "acknowledged" })).toEqual(["known"]);
  expect(shown({ state: "resolved" })).toEqual(["settled"]);
  expect(shown({ state: "all", sort: "oldest" })).toEqual(["open", "known", "settled", "else"]);
  expect(shown({ text: "nightly HOST-TWO" })).toEqual(["else"]);
  expect(shown({ code: "a000851c" })).toEqual(["open"]);
  expect(shown({ hostId: "two" })).toEqual(["else"]);
  expect(shown({ text: "nothing like it" })).toEqual([]);
});
