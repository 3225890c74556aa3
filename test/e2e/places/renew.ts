/**
 * `npm run pictures [-- [--all] [-g NAME]]`: takes anew the pictures that the pages do not look like any more, and makes
 * their files small. `--all`: also those that hold; `-g`: of the places with such a name.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { directory } from "./pictures";

const begun = Date.now();
const given = process.argv.slice(2);
const update = given.includes("--all") ? "all" : "changed";
const { status } = spawnSync(
  join(import.meta.dirname, "../../../node_modules/.bin/playwright"),
  [
    "test",
    "places.spec.ts",
    `--update-snapshots=${update}`,
    "--reporter=line",
    ...given.filter((word) => word !== "--all"),
  ],
  { stdio: "inherit", env: { ...process.env, STILLFRAME_PICTURES: "renew" } },
);
let sum = 0;
for (const name of readdirSync(directory).filter((one) => one.endsWith(".png"))) {
  const file = join(directory, name);
  if (statSync(file).mtimeMs >= begun) {
    // A page has few colours: with a palette of 256 nobody sees a difference, and the file is a third.
    const small = await sharp(readFileSync(file))
      .png({ palette: true, compressionLevel: 9, effort: 10, dither: 0 })
      .toBuffer();
    writeFileSync(file, small);
    process.stdout.write(`${name}: ${Math.round(small.length / 1024)} KiB\n`);
  }
  sum += statSync(file).size;
}
process.stdout.write(`${(sum / 1024 ** 2).toFixed(2)} MiB in all\n`);
process.exit(status ?? 1);
