/**
 * Passwords that whoever guesses tries first: one of some words, however it is lengthened by digits and signs or written
 * with them (`P@ssw0rd2026!`), a run on the keyboard, or one piece over and over. A list of millions would find more and
 * weigh more; the rest is for the lock-out, and for a second factor.
 */

/** The words of published lists of the most used passwords, and what stands on this page. */
const words = new Set(
  (
    "abc access admin administrator asdfgh backup baseball changeme computer default dragon flower football freedom " +
    "ginger google guest hello hunter iloveyou internet letmein login loveme master monkey password passwort pass " +
    "princess qazwsx qwerty qwertyuiop qwertz root secret server shadow starwars stillframe summer sunshine superman " +
    "temp test trustno user welcome whatever winter"
  ).split(" "),
);
/** Rows of keyboards, and what is counted. */
const runs = [
  "01234567890123456789",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnm",
  "qwertzuiopasdfghjklyxcvbnm",
];
const written: Record<string, string> = {
  "@": "a",
  "4": "a",
  "3": "e",
  "1": "i",
  "!": "i",
  "0": "o",
  $: "s",
  "5": "s",
  "7": "t",
};

export function isCommonPassword(password: string): boolean {
  const small = password.toLowerCase();
  const piece = /^(.{1,4}?)\1+.{0,3}$/u.test(small) || /^(.+)\1$/u.exec(small)?.[1];
  if (piece === true) return true;
  const candidates = typeof piece === "string" ? [small, piece] : [small];
  return candidates.some((one) => isRun(one) || wordsIn(one).some((word) => words.has(word)));
}

/** The word that is left without what stands around it, also with letters for the signs that are written for them. */
function wordsIn(text: string): string[] {
  const bare = (one: string) => one.replace(/^[^a-z]+|[^a-z]+$/g, "").replace(/[^a-z]/g, "");
  const read = (one: string) => one.replace(/[@431!0$57]/g, (sign) => written[sign] ?? sign);
  // Digits at the end are rather a number than letters: both ways.
  const ends = /^[^a-z]*(.*?)[\d\W_]*$/.exec(text)?.[1] ?? text;
  return [bare(text), bare(read(text)), bare(read(ends))];
}

function isRun(text: string): boolean {
  const plain = text.replace(/[\s._-]/g, "");
  return [...runs, ...runs.map((run) => [...run].reverse().join(""))].some((run) => run.includes(plain));
}
