/**
 * Takes secrets out of what is handed to somebody else: a diagnostics bundle. Two nets, one behind the other: values
 * that are known to be secret, however they are written, and what looks like one by its name or its form. The second
 * errs on the side of removing too much.
 */

const REMOVED = "[removed]";

const NAMES =
  "pass(?:word|wd|phrase|code)|secret|token|credential|api[_-]?key|private[_-]?key|access[_-]?key|host[_-]?key|authorization|cookie|signature";

const secretName = new RegExp(NAMES, "i");

/** Each with what is put in its place. No pattern begins with a repetition: logs hold very long words. */
const forms: readonly [RegExp, string][] = [
  [/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, REMOVED],
  // Of headers the whole rest of the line.
  [/\b((?:proxy-)?authorization|(?:set-)?cookie)(\s*:\s*)(?!\s*["'[{])[^\n]+/gi, `$1$2${REMOVED}`],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REMOVED}`],
  // In an address: scheme://user:secret@host, or scheme://secret@host.
  [/(:\/\/)[^\s/?#"'<>]+@/g, `$1${REMOVED}@`],
  // name="value", also inside of a string that is quoted itself.
  [new RegExp(`((?:${NAMES})[\\w.-]{0,60}(\\\\+)["']\\s*[:=]\\s*\\2["'])[\\s\\S]*?(\\2["'])`, "gi"), `$1${REMOVED}$3`],
  [new RegExp(`((?:${NAMES})[\\w.-]{0,60}["']?\\s*[:=]\\s*)"(?:[^"\\\\\\n]|\\\\.)*"`, "gi"), `$1"${REMOVED}"`],
  [new RegExp(`((?:${NAMES})[\\w.-]{0,60}["']?\\s*[:=]\\s*)'[^'\\n]*'`, "gi"), `$1'${REMOVED}'`],
  // name=value, name: value; a JSON document's numbers end with their comma.
  [new RegExp(`((?:${NAMES})[\\w.-]{0,60}\\s*=\\s*)(?!["'\\[])[^\\s"']+`, "gi"), `$1${REMOVED}`],
  [
    new RegExp(`((?:${NAMES})[\\w.-]{0,60}["']?\\s*:\\s*)(?!["'\\[{]|true\\b|false\\b|null\\b)[^\\s"',}\\]]+`, "gi"),
    `$1${REMOVED}`,
  ],
  // --password value
  [new RegExp(`(--[\\w-]{0,40}(?:${NAMES})[\\w-]{0,40}\\s+)(?!-)("[^"\\n]*"|'[^'\\n]*'|\\S+)`, "gi"), `$1${REMOVED}`],
  // Keys of well-known services and our own, and signed tokens.
  [/\b(?:gh[pousr]_\w{20,}|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,}|[sr]k_live_\w{10,}|stillframe_[\w-]{32,})/g, REMOVED],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REMOVED],
];

/** `known`: values that must not appear, whatever they look like; those below 4 characters only by their names. */
export function withoutSecrets(text: string, known: readonly string[] = []): string {
  const plain = waysToWrite(known).reduce((rest, value) => rest.replaceAll(value, REMOVED), text);
  return forms.reduce((rest, [form, instead]) => rest.replace(form, instead), plain);
}

/**
 * The document without secrets in its texts, and without what its fields' names call secret; that there is one (a
 * boolean) may be told. What is a text of JSON itself stays one for whoever reads it, but may not parse any more.
 */
export function documentWithoutSecrets(value: unknown, known: readonly string[] = []): unknown {
  if (typeof value === "string") return withoutSecrets(value, known);
  if (Array.isArray(value)) return value.map((inner) => documentWithoutSecrets(inner, known));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      withoutSecrets(name, known),
      secretName.test(name) && typeof inner !== "boolean" && inner !== null
        ? REMOVED
        : documentWithoutSecrets(inner, known),
    ]),
  );
}

/** The longest first: a secret may be a part of another. */
function waysToWrite(known: readonly string[]): string[] {
  const ways = known
    .filter((value) => value.length >= 4)
    .flatMap((value) => {
      const inJson = JSON.stringify(value).slice(1, -1);
      return [value, inJson, JSON.stringify(inJson).slice(1, -1), encodeURIComponent(value), base64(value)];
    });
  return [...new Set(ways)].sort((a, b) => b.length - a.length);
}

/** Without the padding, which may be missing or percent-encoded. */
function base64(value: string): string {
  const bytes = Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte));
  return btoa(bytes.join("")).replace(/=+$/, "");
}
