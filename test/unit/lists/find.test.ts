import { expect, test } from "vitest";
import { findNamed, MOST_FOUND } from "@/server/core/lists/find";

const jobs = ["Nightly", "Monthly 10", "Monthly 9", "Now and then", "Runway"].map((name) => ({ name }));
const found = (text: string) => findNamed(jobs, text, "run now").map(({ name }) => name);

test("names that hold all the words come before what is only done to them, numbers by their value", () => {
  expect(found("monthly")).toEqual(["Monthly 9", "Monthly 10"]);
  expect(found("RUN")).toEqual(["Runway", "Monthly 9", "Monthly 10", "Nightly", "Now and then"]);
  expect(found("run nightly now")).toEqual(["Nightly"]);
  expect(found("weekly")).toEqual([]);
  expect(findNamed(jobs, "run", "").map(({ name }) => name)).toEqual(["Runway"]);
});

test("of many there are few", () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({ name: `job ${i}` }));
  expect(findNamed(many, "", "")).toHaveLength(MOST_FOUND);
});
