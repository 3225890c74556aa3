/** Runs below the jobs; all of them have a page of their own. */
export const RECENT_RUNS = 10;
