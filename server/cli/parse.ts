/** Values of options, read with an error that names what is accepted. */
import { InvalidArgumentError } from "commander";
import { parseSize } from "@/server/core/text/bytes";

export function sizeOption(text: string): number {
  const parsed = parseSize(text);
  if (!parsed.ok) throw new InvalidArgumentError(`${parsed.reason}.`);
  return parsed.bytes;
}

export function sizeOrAutomatic(text: string): number | "automatic" {
  return text.trim() === "automatic" ? "automatic" : sizeOption(text);
}

/** Milliseconds, a whole number; `2s` and `250ms` are read too. */
export function millisecondsOption(text: string): number {
  const match = /^(\d+)\s*(ms|s)?$/.exec(text.trim());
  if (!match) throw new InvalidArgumentError("Write a whole number of milliseconds, such as 250 or 2s.");
  return Number(match[1]) * (match[2] === "s" ? 1000 : 1);
}

export function portOption(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError("A port is a number from 1 to 65535.");
  }
  return port;
}

export function countOption(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("Write a whole number above 0.");
  return count;
}

/** For options that may be given several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
