/**
 * Reads `DoSingleVolumeSnap` out of a registry export (`.reg`), the switch of the original product.
 *
 * Registry editors write UTF-16LE with a byte order mark ("Windows Registry Editor Version 5.00") or the
 * machine's 8-bit code page ("REGEDIT4"). The two forms are alike otherwise: `[key]` lines, `"name"=value` lines,
 * `;` comments, and `\` at the end of a line where a value goes on in the next. Names of keys and values ignore case.
 */

const VALUE_NAME = "DoSingleVolumeSnap";

/** Where the value is kept: 10.x and below, and 11d and above. Under WOW6432Node on 64-bit Windows. */
export const REG_KEYS = [
  "HKEY_LOCAL_MACHINE\\SOFTWARE\\VERITAS\\Backup Exec\\Engine\\Backup",
  "HKEY_LOCAL_MACHINE\\SOFTWARE\\Symantec\\Backup Exec For Windows\\Backup Exec\\Engine\\Backup",
] as const;

export type RegExport = { ok: true; key: string; value: 0 | 1 } | { ok: false; reason: string };

const refuse = (reason: string): RegExport => ({ ok: false, reason });
const LOOKED_FOR = `the value "${VALUE_NAME}" under [${REG_KEYS[0]}] or [${REG_KEYS[1]}]`;

/** What the export says about the switch. Where both keys hold it, the newer product's counts. */
export function readRegExport(bytes: Uint8Array): RegExport {
  const lines = logicalLines(decode(bytes));
  const header = lines.find((line) => line !== "");
  if (!header || !/^(Windows Registry Editor Version \d|REGEDIT4)/i.test(header)) {
    return refuse(
      `This is not a registry export: it does not begin with "Windows Registry Editor Version 5.00" or "REGEDIT4". Looked for ${LOOKED_FOR}.`,
    );
  }
  const found = findValues(lines);
  const newest = [...REG_KEYS].reverse().flatMap((key) => found.filter((entry) => entry.place === key))[0];
  if (!newest) return refuse(`The file is a registry export, but does not hold ${LOOKED_FOR}.`);
  return readSwitch(newest.key, newest.data);
}

function readSwitch(key: string, data: string): RegExport {
  if (data === "-") return refuse(`The file deletes "${VALUE_NAME}" under [${key}] and gives it no value.`);
  const dword = /^dword:([0-9a-f]{1,8})$/i.exec(data)?.[1];
  if (dword === undefined) return refuse(`"${VALUE_NAME}" under [${key}] is not a dword but ${data.slice(0, 60)}.`);
  const value = Number.parseInt(dword, 16);
  if (value !== 0 && value !== 1) return refuse(`"${VALUE_NAME}" under [${key}] is ${value}; it can be 0 or 1.`);
  return { ok: true, key, value };
}

type Found = { key: string; place: string; data: string };

function findValues(lines: string[]): Found[] {
  const found: Found[] = [];
  let key: string | null = null;
  for (const line of lines) {
    const section = /^\[(-?)(.*)\]$/.exec(line);
    if (section) key = section[1] === "-" ? null : (section[2] ?? null);
    const assignment = /^"((?:[^"\\]|\\.)*)"\s*=\s*(.*)$/.exec(line);
    if (!assignment || key === null || assignment[1]?.toLowerCase() !== VALUE_NAME.toLowerCase()) continue;
    const place = placeOf(key);
    if (place) found.push({ key, place, data: (assignment[2] ?? "").replace(/\s*;.*$/, "") });
  }
  return found;
}

/** Which of the known keys this is, however it is spelled. */
function placeOf(key: string): string | undefined {
  const plain = key
    .trim()
    .toLowerCase()
    .replace(/^hklm\\/, "hkey_local_machine\\")
    .replace(/^hkey_local_machine\\software\\wow6432node\\/, "hkey_local_machine\\software\\");
  return REG_KEYS.find((known) => known.toLowerCase() === plain);
}

/** Lines without surrounding space or comments, continued ones joined. */
function logicalLines(text: string): string[] {
  const joined = text.replace(/\\[ \t]*(\r\n|\r|\n)[ \t]*/g, "");
  return joined
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => !line.startsWith(";"));
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  // UTF-16 whose mark was lost on the way: every second byte of its first, ASCII, line is zero.
  if (bytes.length > 3 && bytes[1] === 0 && bytes[3] === 0) return new TextDecoder("utf-16le").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
