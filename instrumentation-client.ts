/** Before anything else in the browser. */

// The content security policy forbids code that is made while the page runs: zod is told, so that it does not try. What it
// reads this from is set without zod itself, which pages without a form do not need.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });
