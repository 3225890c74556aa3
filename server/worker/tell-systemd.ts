/** sd_notify(3), where systemd started this program with `Type=notify`. */
import { messageOf } from "./fault";
import { log } from "./log";
import { runProgram } from "./programs/run-program";

/** Whoever is ordered after the service starts now: a database, say, whose files lie on an attached volume. */
export async function tellReady(): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return;
  try {
    const { exitCode, stderr } = await runProgram("systemd-notify", ["--ready"]);
    if (exitCode !== 0) log.error({ exitCode, stderr }, "systemd was not told that the worker is up");
  } catch (err) {
    log.error({ err }, `systemd was not told that the worker is up: ${messageOf(err)}`);
  }
}
