import { z } from "zod";

/** ISO 8601 with milliseconds and zone, e.g. `2026-11-22T02:05:12.218Z`. */
export const instant = z.iso.datetime({ offset: true });
export type Instant = z.infer<typeof instant>;
