import { existsSync } from 'node:fs';
import { type Settings, sqliteFile } from '../../schemas/settings.ts';
import type { Claims } from '../../schemas/tokens.ts';
import { openStore } from '../app.ts';

/**
 * The generation of which a token must be that is made now [P-4], as the database says. Where that is not there, cannot be opened
 * or does not answer, it is 0, which is taken as long as nothing was revoked: who is refused for it is told so at the door.
 */
export async function generationFor(
  settings: Settings,
  claims: Pick<Claims, 'role' | 'dealer' | 'sub'>,
): Promise<number> {
  const file = sqliteFile(settings);
  if (file !== null && !existsSync(file)) return 0;
  try {
    const store = openStore(settings);
    try {
      return (await store.pendingMigrations()) > 0 ? 0 : (await store.generation(claims)).current;
    } finally {
      await store.close();
    }
  } catch {
    return 0;
  }
}
