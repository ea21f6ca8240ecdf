import { existsSync } from 'node:fs';
import { type Settings, sqliteFile } from '../../schemas/settings.ts';

/** @throws where the settings name an embedded database that there is not: to open it would make it */
export function mustExist(settings: Settings): void {
  const file = sqliteFile(settings);
  if (file !== null && !existsSync(file)) throw new Error(`there is no ${file}`);
}
