import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { CHOICES, type WhichPeer } from "./peer-program";

export interface Options {
  only: string[];
  rounds: number;
  seconds: number;
  /** Of the backing file. */
  bytes: number;
  /** Where backing file and cache lie; in memory unless it was chosen, so that no disk is measured. */
  directory: string;
  /** On a disk, for the section that measures one. */
  diskDirectory: string;
  json: string | null;
  peer: WhichPeer;
}

export function helpText(sections: { name: string; what: string }[]): string {
  const width = Math.max(...sections.map(({ name }) => name.length));
  return `Usage: npm run bench -- [options]

Measures the engine against a raw loop device and against qemu-storage-daemon, alternating on the same backing file, and
compares with what is aimed at. Every run verifies its data. Needs root and fio.

  --only LIST      sections to run (default all):
${sections.map(({ name, what }) => `                     ${name.padEnd(width)}  ${what}`).join("\n")}
  --rounds N       how often everything is repeated (default 3)
  --seconds N      longest time of one measurement (default 3)
  --size MIB       size of the backing file (default 1024)
  --dir PATH       where backing file and cache are kept (default /dev/shm: in memory)
  --disk-dir PATH  a directory on a disk, for the section disk (default ${tmpdir()})
  --peer WHICH     newest: qemu-storage-daemon of Debian's backports, fetched once; installed: this machine's (default newest)
  --json FILE      also write all figures there, each round's
`;
}

/** Null where help was asked for; throws a sentence for a person. */
export function readOptions(args: string[], sections: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", default: sections.join(",") },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "3" },
      size: { type: "string", default: "1024" },
      dir: { type: "string", default: existsSync("/dev/shm") ? "/dev/shm" : tmpdir() },
      "disk-dir": { type: "string", default: tmpdir() },
      json: { type: "string" },
      peer: { type: "string", default: "newest" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const only = values.only.split(",");
  const unknown = only.filter((name) => !sections.includes(name));
  if (unknown.length > 0)
    throw new Error(`There is no section ${unknown.join(", ")}; there are ${sections.join(", ")}.`);
  const peer = CHOICES.find((choice) => choice === values.peer);
  if (peer === undefined) throw new Error(`--peer must be one of ${CHOICES.join(", ")}`);
  const whole = (name: string, text: string, least: number) => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < least)
      throw new Error(`--${name} must be a whole number from ${least} on`);
    return number;
  };
  return {
    only,
    rounds: whole("rounds", values.rounds, 1),
    seconds: whole("seconds", values.seconds, 1),
    bytes: whole("size", values.size, 128) * 1024 * 1024,
    directory: values.dir,
    diskDirectory: values["disk-dir"],
    json: values.json ?? null,
    peer,
  };
}
