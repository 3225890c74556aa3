import type { NextConfig } from "next";

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  // Native or socket-holding packages belong to the server process, not to a bundle.
  serverExternalPackages: ["ws", "better-sqlite3", "@prisma/client", "pino"],
  // `npm test` checks the types of all rooms; a start must not depend on those of tests and worker.
  typescript: { ignoreBuildErrors: true },
};
export default config;
