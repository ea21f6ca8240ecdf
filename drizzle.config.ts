import { defineConfig } from 'drizzle-kit';

/** SQLite's; what Postgres has instead is said by `npm run db:generate`, which makes the migrations of both. */
export default defineConfig({
  dialect: 'sqlite',
  schema: './drizzle/sqlite/schema.ts',
  out: './drizzle/sqlite/migrations',
});
