/**
 * Preloaded into the console (`node --import`): once a second it writes to STILLFRAME_TEST_WATCH what it costs, and
 * how long its main thread was ready but had no processor, which the scheduler knows (`/proc`, schedstat).
 */
import { appendFileSync, readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const file = process.env.STILLFRAME_TEST_WATCH;
if (file !== undefined && isMainThread) {
  const RESOLUTION_MS = 10;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const waited = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
  let before = { cpu: process.cpuUsage(), waited: waited(), at: performance.now() };
  setInterval(() => {
    const now = { cpu: process.cpuUsage(), waited: waited(), at: performance.now() };
    const ms = now.at - before.at;
    const cpuMs = (now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system) / 1000;
    const late = (/** @type {number} */ ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    const line = {
      at: Date.now(),
      rssBytes: process.memoryUsage.rss(),
      cpu: cpuMs / ms,
      waited: (now.waited - before.waited) / ms,
      delayP50Ms: late(delay.percentile(50)),
      delayP99Ms: late(delay.percentile(99)),
      delayMostMs: late(delay.max),
    };
    delay.reset();
    before = now;
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  }, 1000).unref();
}
