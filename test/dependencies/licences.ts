/** Which licences may come into the product, as SPDX calls them, and which package may have another. */

const allowed = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "MIT-0",
  "Unicode-3.0",
  "Unlicense",
  "Zlib",
]);

/** Others, each for the packages that it is known of, and why it may be. */
const exceptions: readonly { packages: RegExp; licence: string; because: string }[] = [
  { packages: /^@img\/sharp-/, licence: "LGPL-3.0-or-later", because: "a library beside the product, loaded as it is" },
  { packages: /^(lightningcss|axe-core$|@axe-core\/)/, licence: "MPL-2.0", because: "a tool that is used unchanged" },
  { packages: /^elkjs$/, licence: "EPL-2.0", because: "a tool that is used unchanged" },
  { packages: /^caniuse-lite$/, licence: "CC-BY-4.0", because: "data that builds read" },
  {
    packages: /^parse-cache-control$/,
    licence: "none",
    because: "BSD-3-Clause by its LICENSE, in no field that npm reads",
  },
  { packages: /^geist$/, licence: "OFL-1.1", because: "a font" },
];

/** How some packages write what SPDX calls otherwise. */
const spellings: Readonly<Record<string, string>> = {
  "SIL OPEN FONT LICENSE": "OFL-1.1",
  "MIT and ISC": "MIT AND ISC",
  "MIT/Apache-2.0": "MIT OR Apache-2.0",
  "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT": "Apache-2.0 OR MIT",
};

/** Whether the package may be used by this expression: `AND` binds closer than `OR`, parentheses closest. */
export function licenceIsAllowed(name: string, expression: string): boolean {
  const words = (spellings[expression] ?? expression).match(/[()]|[^\s()]+/g) ?? [];
  const either = (): boolean => {
    let fits = both();
    while (words[0] === "OR" && words.shift()) fits = both() || fits;
    return fits;
  };
  const both = (): boolean => {
    let fits = one();
    while (words[0] === "AND" && words.shift()) fits = one() && fits;
    return fits;
  };
  const one = (): boolean => {
    const word = words.shift() ?? "";
    if (word !== "(") return allowed.has(word) || isException(name, word);
    const fits = either();
    return words.shift() === ")" && fits;
  };
  const fits = either();
  return fits && words.length === 0;
}

function isException(name: string, word: string): boolean {
  return exceptions.some(({ packages, licence }) => packages.test(name) && licence === word);
}
