/**
 * Runs the programs that install and build, one line of progress each. Plain JavaScript with nothing but
 * Node: this runs before anything is installed.
 */
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a person has to do before this can go on. */
export class Refusal extends Error {
  /** @param {string} what @param {string} todo */
  constructor(what, todo) {
    super(what);
    this.todo = todo;
  }
}

const tickMs = 15_000;

/** @param {number} since */
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** @param {string} text */
export const say = (text) => process.stderr.write(`${text}\n`);

/**
 * Runs a program with its output in a log file; says when it starts, that it still works, and how long it took.
 * @param {string} root @param {string} title @param {string} program @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv}} [options]
 */
export async function step(root, title, program, args, options = {}) {
  const started = performance.now();
  const directory = join(root, "dist", "log");
  mkdirSync(directory, { recursive: true });
  const log = join(directory, `${title.replace(/[^a-z0-9]+/gi, "-").toLowerCase()}.log`);
  const output = openSync(log, "w");
  say(`  ${title} …`);
  const ticking = setInterval(() => say(`  ${title} … ${seconds(started)}`), tickMs);
  const code = await new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", output, output],
    });
    child.once("error", () => resolve(127));
    child.once("close", (exit, signal) => resolve(signal ? 128 : exit));
  });
  clearInterval(ticking);
  if (code !== 0) {
    const end = readFileSync(log, "utf8").trimEnd().split("\n").slice(-25).join("\n    ");
    throw new Refusal(`${title} failed (${program} ended with ${code}):\n    ${end}`, `The whole output is in ${log}.`);
  }
  say(`  ${title}: done in ${seconds(started)}`);
}
