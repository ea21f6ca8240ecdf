/** The package `bindings` of the one executable: better-sqlite3 asks it for its native addon, which is an asset here. */
import path = require('node:path');
import assets = require('../../src/assets.ts');

function load(addon: string): unknown {
  const loaded = { exports: {} };
  process.dlopen(loaded, path.join(assets.assetFolder('native'), addon));
  return loaded.exports;
}

export = load;
