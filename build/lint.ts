/** `npm run lint`: holds every import of the project to the table of directions. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { ROOMS } from './directions.ts';
import { refusalsIn } from './imports.ts';

const FOLDERS = new Set(Object.keys(ROOMS).map((room) => room.slice(0, room.indexOf('/'))));

const files = [...FOLDERS]
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
  .filter((file) => /\.[cm]?tsx?$/.test(file) && !file.includes('node_modules'))
  .map((file) => file.split(sep).join(posix.sep));

const refused = files.flatMap((file) => refusalsIn(file, readFileSync(file, 'utf8')));
for (const each of refused) process.stdout.write(`${each}\n`);
if (refused.length > 0 || files.length === 0) {
  const hint = 'Something is in the wrong room: see "Rooms" in CONTRIBUTING.md. The table is build/directions.ts.';
  process.stdout.write(`${files.length > 0 ? hint : 'No file was checked: run it where package.json is.'}\n`);
  process.exitCode = 1;
} else process.stdout.write(`Checked the imports of ${files.length} files.\n`);
