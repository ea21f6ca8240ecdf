/** `lib/binding.js` of better-sqlite3 in the one executable: the native addon is an asset, unpacked before it is loaded. */
import { join } from 'node:path';
import { assetFolder } from '../../src/assets.ts';

export function getBinding(): unknown {
  const loaded = { exports: {} };
  process.dlopen(loaded, join(assetFolder('native'), 'better_sqlite3.node'));
  return loaded.exports;
}
