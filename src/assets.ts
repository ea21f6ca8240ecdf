/**
 * Files that the program carries besides its code, named by its path in the project: from disk, where Node.js runs it. The one
 * executable has another one in this one's place, build/embedded/assets.ts, with the same exports.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Where to look: the project's root in a clone; in a build `dist`, and above it what is not copied there. */
const FOLDERS = ['../', '../../'] as const;

function find(name: string): string {
  const paths = FOLDERS.map((folder) => fileURLToPath(new URL(folder + name, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not where it should be: ${paths.join(' or ')}`);
  return found;
}

/** The path of a folder on disk that holds these assets, and may only be read. */
export const assetFolder = (name: string): string => find(name);

/** The path of better-sqlite3, for a thread of its own. */
export const sqliteModule = (): string => createRequire(import.meta.url).resolve('better-sqlite3');

export const readAsset = (name: string): Buffer => readFileSync(find(name));
