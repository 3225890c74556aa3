/** Before anything else in the browser. */
import { config } from "zod/v4/core";

// The content security policy forbids code that is made while the page runs: zod is told, so that it does not try.
config({ jitless: true });
