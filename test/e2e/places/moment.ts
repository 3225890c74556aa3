/** The instant at which every picture is taken: a Thursday morning. The clocks of console and browser stand there. */
export const NOW = Date.parse("2026-11-12T09:41:30.000Z");
export const ZONE = "Europe/Berlin";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** So many milliseconds before the moment. */
export const ago = (ms: number): string => new Date(NOW - ms).toISOString();
