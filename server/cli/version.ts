import manifest from "@/package.json";

/** Version of this program, as the package says. */
export const version: string = manifest.version;
