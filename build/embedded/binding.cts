/** `lib/binding.js` of better-sqlite3 in the one executable: the native addon is an asset, unpacked before it is loaded. */
import path = require('node:path');
import assets = require('../../src/assets.ts');

function getBinding(): unknown {
  const loaded = { exports: {} };
  process.dlopen(loaded, path.join(assets.assetFolder('native'), 'better_sqlite3.node'));
  return loaded.exports;
}

export = { getBinding };
