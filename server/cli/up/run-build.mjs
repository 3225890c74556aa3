/** `npm run build`: everything that is made from the sources, what is up to date left as it is. */
import { Refusal, say } from "./bootstrap-steps.mjs";
import { build } from "./build.mjs";

try {
  await build();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(`\n${error.message}\n  ${error.todo}`);
  process.exit(1);
}
