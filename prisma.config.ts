import { defineConfig } from "prisma/config";

// Generating the client and validating the schema need no schema engine, yet the command line insists on the
// path of one and would download it; any existing file satisfies it. Migrations are applied by the product.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;
process.env.CHECKPOINT_DISABLE ??= "1";

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
});
