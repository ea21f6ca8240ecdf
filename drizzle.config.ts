import { defineConfig } from 'drizzle-kit';

/** One schema for each database; `npm run db:generate` makes the migrations of both. */
const database = process.env.DATABASE === 'postgres' ? 'postgres' : 'sqlite';

export default defineConfig({
  dialect: database === 'postgres' ? 'postgresql' : 'sqlite',
  schema: `./drizzle/${database}/schema.ts`,
  out: `./drizzle/${database}/migrations`,
});
