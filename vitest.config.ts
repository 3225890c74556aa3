import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));
const resolve = { alias: { "@": root.replace(/\/$/, "") } };

/** Integration tests of a console with its database alone, which attach no volume: two files at a time. */
const onConsoleAlone = "test/integration/console-*.test.ts";

/** Tests that wait for time limits of a minute and do little else. */
const waits = "test/faults/worker-engine-hung.test.ts";

/** Tests that mount, attach and freeze: one file at a time, one project after the other, with room for a slow disk. */
const onRealParts = {
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  teardownTimeout: 30_000,
} as const;

/**
 * On CI a step that could not be carried out (a time-out, a conflict, a program that did not come up) is tried once
 * more, and `npm test` tells at its end what failed at first. A wrong answer ("expected …") is never tried again.
 */
const retry = process.env.CI ? { count: 1, condition: /^(?!.*\bexpected\b)/s } : 0;

export default defineConfig({
  test: {
    projects: [
      // Pure functions: a process of its own for each file would take three times as long.
      {
        resolve,
        test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/rules/**/*.test.ts"], isolate: false },
      },
      {
        resolve,
        test: { name: "dependencies", include: ["test/dependencies/**/*.test.ts"], sequence: { groupOrder: 1 } },
      },
      {
        resolve,
        test: {
          name: "console",
          include: [onConsoleAlone],
          sequence: { groupOrder: 1 },
          ...onRealParts,
          fileParallelism: true,
          maxWorkers: 2,
          retry,
        },
      },
      {
        resolve,
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          exclude: [onConsoleAlone],
          sequence: { groupOrder: 2 },
          ...onRealParts,
          retry,
        },
      },
      {
        resolve,
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          exclude: [waits],
          sequence: { groupOrder: 3 },
          ...onRealParts,
          retry,
        },
      },
      { resolve, test: { name: "hung-engines", include: [waits], sequence: { groupOrder: 3 }, ...onRealParts, retry } },
      {
        resolve,
        test: {
          name: "machine",
          include: ["test/machine/**/*.test.ts"],
          sequence: { groupOrder: 4 },
          ...onRealParts,
          testTimeout: 300_000,
        },
      },
      {
        resolve,
        test: {
          name: "powercut",
          include: ["test/powercut/**/*.test.ts"],
          sequence: { groupOrder: 5 },
          ...onRealParts,
          testTimeout: 240_000,
          hookTimeout: 300_000,
        },
      },
      {
        resolve,
        test: {
          name: "suites",
          include: ["test/suites/**/*.test.ts"],
          sequence: { groupOrder: 6 },
          ...onRealParts,
          testTimeout: 1_200_000,
        },
      },
    ],
  },
});
