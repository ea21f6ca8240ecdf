import { existsSync } from 'node:fs';
import { MEMORY, type Settings, shownDatabase, sqliteFile } from '../../schemas/settings.ts';

/** Advice where a command is not where the server is. */
export const ELSEWHERE = "run this in the server's folder, or set its DATABASE_URL";

/** A file that there is not, and where it was looked for. */
export const missing = (file: string): string =>
  `there is no ${file}${file.startsWith('/') ? '' : ` in ${process.cwd()}`}`;

/**
 * @param otherwise what else can be done about it
 * @throws where the settings name an embedded database that there is not: to open it would make one that nobody serves
 */
export function mustExist(settings: Settings, otherwise = ''): void {
  const file = sqliteFile(settings);
  if (file === MEMORY)
    throw new Error(`DATABASE_URL is "${shownDatabase(settings)}", which is its server's alone: set another`);
  if (file !== null && !existsSync(file)) throw new Error(`${missing(file)}: ${ELSEWHERE}${otherwise}`);
}
