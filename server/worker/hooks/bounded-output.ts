/**
 * A hook's output as lines, whatever it writes: a line has an end, the kept ones are the last few, and one that writes
 * without end is read slowly, so that it waits and not the worker.
 */
import type { Readable } from "node:stream";

export const KEPT_LINES = 50;
const LONGEST_LINE = 1000;
/** Read at full speed; from then on a part of at most 64 KiB at a time. */
const FAST_CHARACTERS = 1024 * 1024;
const PAUSE_MS = 20;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a log
const CONTROL = /\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g;

export class BoundedOutput {
  /** The last lines of all streams, in the order in which they came. */
  readonly lines: string[] = [];

  constructor(private readonly onLine: (line: string, stream: "stdout" | "stderr") => void) {}

  follow(stream: Readable, name: "stdout" | "stderr"): void {
    let rest = "";
    let read = 0;
    stream.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = (parts.pop() ?? "").slice(0, LONGEST_LINE);
      for (const part of parts) this.take(part, name);
      read += text.length;
      if (read <= FAST_CHARACTERS) return;
      stream.pause();
      setTimeout(() => stream.resume(), PAUSE_MS);
    });
    stream.once("close", () => {
      if (rest !== "") this.take(rest, name);
    });
  }

  private take(raw: string, stream: "stdout" | "stderr"): void {
    const line = raw.slice(0, LONGEST_LINE).replace(CONTROL, "");
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    this.onLine(line, stream);
  }
}
