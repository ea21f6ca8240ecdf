/** `npm run lint`: holds every import of the project to the table of directions, and doc comments to their first words. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { riddlesIn } from './comments.ts';
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

/** Code that is read by people who use it. */
const READ = /^(src|schemas|conformance)\//;
const riddles = files.filter((file) => READ.test(file)).flatMap((file) => riddlesIn(file, readFileSync(file, 'utf8')));
for (const each of riddles) process.stdout.write(`${each}\n`);
if (riddles.length > 0) process.exitCode = 1;
