/** A store on an SQLite file. */
import { join } from 'node:path';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Store } from '../../src/store/store.ts';
import { inFolder } from './server.ts';

export const settingsFor = (file: string) => readSettings({ DATABASE_URL: `sqlite:${file}` });

/** A store on a file, migrated; and the file, for another connection. */
export function withFile(use: (store: Store, file: string) => Promise<void>): () => Promise<void> {
  return () =>
    inFolder(async (folder) => {
      const file = join(folder, 'telle.db');
      const store = openStore(settingsFor(file));
      try {
        await store.migrate();
        await use(store, file);
      } finally {
        await store.close();
      }
    });
}
