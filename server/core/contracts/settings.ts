import { z } from "zod";
import { absolutePath, openFileDefaultsChangeSchema, openFileDefaultsSchema } from "./job";

/** The console's settings that apply to every job that does not say otherwise. */
export const settingsSchema = z.object({
  /** "Process logical volumes for backup one at a time" for all jobs: `DoSingleVolumeSnap` of the original. */
  oneAtATime: z.boolean(),
  /** Directories where caches may be kept; empty: the broker's own choice, `<home>/cache`. */
  cacheLocations: z.array(absolutePath),
  /** What a job's Advanced Open File panel inherits. */
  openFile: openFileDefaultsSchema,
});
export type Settings = z.infer<typeof settingsSchema>;
export const defaultSettings: Settings = {
  oneAtATime: false,
  cacheLocations: [],
  openFile: openFileDefaultsSchema.parse({}),
};

/** Only what is to change; of the panel's defaults, too. */
export const settingsChangeSchema = settingsSchema
  .extend({ openFile: openFileDefaultsChangeSchema })
  .partial()
  .strict();
export type SettingsChange = z.infer<typeof settingsChangeSchema>;
