/** `npm run seed -- --home DIR`: fills the database of a console that is not running, to develop and measure with. */
import { existsSync, realpathSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { seed } from "./seed";

const help = `Usage: npm run seed -- --home DIR [options]

Fills the database below DIR with plausible hosts, jobs and runs. The console must not be running.

  --home DIR   state directory; never that of an installation (required)
  --hosts N    (default 50)
  --jobs N     (default 200)
  --runs N     (default 5000)
  --more       also if the database is not empty
`;

/** Where installations keep their state; what is made up has no place there. */
function refused(home: string): boolean {
  const real = existsSync(home) ? realpathSync(home) : home;
  const own = ["/var/lib/stillframe", path.join(os.homedir(), ".local/share/stillframe")];
  return own.some((one) => real === one || real.startsWith(`${one}/`));
}

function count(name: string, text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Error(`--${name} must be a number`);
  return Number(text);
}

try {
  const { values } = parseArgs({
    options: {
      home: { type: "string" },
      hosts: { type: "string", default: "50" },
      jobs: { type: "string", default: "200" },
      runs: { type: "string", default: "5000" },
      more: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    process.exit(0);
  }
  if (!values.home) throw new Error("--home is missing");
  const home = path.resolve(values.home);
  if (refused(home)) throw new Error(`${home} is where an installation keeps its state: choose another directory`);
  const size = {
    hosts: count("hosts", values.hosts),
    jobs: count("jobs", values.jobs),
    runs: count("runs", values.runs),
  };
  await seed(home, size, { more: values.more });
  process.stdout.write(`${size.hosts} hosts, ${size.jobs} jobs and ${size.runs} runs in ${home}\n`);
} catch (error) {
  process.stderr.write(`seed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(2);
}
