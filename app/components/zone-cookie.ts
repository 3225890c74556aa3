/** The cookie by which the server renders times in the viewer's zone from the second visit on. */
export const ZONE_COOKIE = "stillframe-zone";
