/** `lib/binding.js` of better-sqlite3 where it is unpacked for a thread: its native addon lies beside it. */
import path = require('node:path');

const getBinding = (): unknown => require(path.join(__dirname, 'better_sqlite3.node'));

export = { getBinding };
