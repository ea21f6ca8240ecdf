/** `src/assets.ts` of the one executable: the assets are inside it, and what must be on disk is unpacked into a cache. */
import { createHash, randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getAsset } from 'node:sea';

/** The asset that lists the others, made by the build. */
const INDEX = 'assets.json';

export const readAsset = (name: string): Buffer => Buffer.from(getAsset(name));

/** Unpacks them. The folder is named by what it holds: another version's is another one, and one that is there is used again. */
export function assetFolder(name: string): string {
  const names: string[] = JSON.parse(getAsset(INDEX, 'utf8'));
  const files = names
    .filter((each) => each.startsWith(`${name}/`))
    .map((each) => ({ path: each.slice(name.length + 1), bytes: readAsset(each) }));
  if (files.length === 0) throw new Error(`${name} is not in this executable`);
  const hash = createHash('sha256');
  for (const { path, bytes } of files) hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  const folder = ownFolder(join(cacheFolder(), hash.digest('hex')));
  for (const { path, bytes } of files) {
    ownFolder(dirname(join(folder, path)));
    place(join(folder, path), bytes);
  }
  return folder;
}

/** The package with nothing but it around: a thread has no other way to what is inside. */
export const sqliteModule = (): string => join(assetFolder('native'), 'better-sqlite3.cjs');

/** Where a user's caches are; a user without a home has one among the temporary files. */
const CACHES = [
  () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'telle'),
  () => join(tmpdir(), `telle-${process.getuid?.()}`),
];

function cacheFolder(): string {
  const faults: string[] = [];
  for (const cache of CACHES) {
    try {
      return ownFolder(cache());
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`no folder to unpack into: set XDG_CACHE_HOME to one that may be written to (${faults.join('; ')})`);
}

/** Makes a folder that nobody else may write to. @throws where there is one that somebody else owns or may write to */
function ownFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || found.mode & 0o022) {
    throw new Error(`${path} is not this user's alone`);
  }
  return path;
}

/** Writes a file unless it is there, whole or not at all: another process may be doing the same. */
function place(path: string, bytes: Buffer): void {
  if (holds(path, bytes)) return;
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, bytes, { flag: 'wx', mode: 0o600 });
  renameSync(draft, path);
}

function holds(path: string, bytes: Buffer): boolean {
  try {
    return lstatSync(path).isFile() && readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}

// What stands in for a module has its face.
({ readAsset, assetFolder, sqliteModule }) satisfies typeof import('../../src/assets.ts');
