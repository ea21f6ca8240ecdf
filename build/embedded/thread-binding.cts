/** The package `bindings` of better-sqlite3 where it is unpacked for a thread: its native addon lies beside it. */
import path = require('node:path');

const load = (addon: string): unknown => require(path.join(__dirname, addon));

export = load;
