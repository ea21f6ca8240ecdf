/** `lib/binding.js` of better-sqlite3 where it is unpacked for a thread: its native addon lies beside it. */
import { join } from 'node:path';

/** The folder of the CommonJS that this is bundled into. */
declare const __dirname: string;

export function getBinding(): unknown {
  const loaded = { exports: {} };
  process.dlopen(loaded, join(__dirname, 'better_sqlite3.node'));
  return loaded.exports;
}
