/** Who may import whom: CONTRIBUTING.md says it, and `npm run lint` refuses everything else, in whatever form it is written. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { allowed, ROOMS } from '../../build/directions.ts';
import { refusalsIn } from '../../build/imports.ts';

/** The table of CONTRIBUTING.md: rooms, and what each may import. */
const ROWS = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/^\| `([^`]+)` +\|[^|]+\| ([^|]+?) +\|$/gm)]
  .map(([, room = '', text = '']) => ({ room, text }))
  .filter(({ text }) => /^(everything|nothing|types|`)/.test(text));

const namesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** A file of a room: one that may be made there, or the one that it is. */
const fileIn = (room: string): string =>
  room.endsWith('/') ? `${room}some.ts` : room.endsWith('.ts') ? room : `${room}-some.ts`;

const VALUES: readonly ((from: string) => string)[] = [
  (from) => `import { some } from '${from}';`,
  (from) => `import { type Some } from '${from}';`,
  (from) => `import * as some from '${from}';`,
  (from) => `import '${from}';`,
  (from) => `export { some } from '${from}';`,
  (from) => `export * from '${from}';`,
  (from) => `const some = await import('${from}');`,
  (from) => `import some = require('${from}');`,
];
const TYPES: readonly ((from: string) => string)[] = [
  (from) => `import type { Some } from '${from}';`,
  (from) => `export type { Some } from '${from}';`,
  (from) => `type Some = import('${from}').Some;`,
];

/** Holds a file that imports something, in each form, a form a line, to whether it may. */
function hold(file: string, from: string, may: { value: boolean; type: boolean }): void {
  const forms = [
    ...VALUES.map((form) => [form(from), may.value] as const),
    ...TYPES.map((form) => [form(from), may.type] as const),
  ];
  const refused = refusalsIn(file, forms.map(([form]) => `${form}\n`).join(''));
  const lines = forms.flatMap(([, isAllowed], index) => (isAllowed ? [] : [`${file}:${index + 1} `]));
  assert.deepEqual(
    refused.map((each) => each.split("'")[0]),
    lines,
    `${from} in ${file}`,
  );
  for (const each of refused) assert.match(each, /^\S+ '.*': .* may (not )?import/);
}

describe('the table of rooms', () => {
  it('is in CONTRIBUTING.md as it is held', () => {
    assert.deepEqual(
      ROWS,
      Object.keys(ROOMS)
        .map((room) => ({ room, text: allowed(room) }))
        .sort(byRow),
    );
  });

  it('names rooms and packages that there are', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    const packages = Object.keys({ ...dependencies, ...devDependencies });
    const isThere = (entry: string) =>
      ['*', 'node:', 'fs'].includes(entry) ||
      entry in ROOMS ||
      packages.some((each) => `${each}/`.startsWith(`${entry}/`));
    const entries = Object.values(ROOMS).flatMap(({ imports, types = [] }) => [...imports, ...types]);
    assert.deepEqual(
      entries.filter((entry) => !isThere(entry)),
      [],
    );
  });
});

const order = ROWS.map(({ room }) => room);
const byRow = (one: { room: string }, other: { room: string }) => order.indexOf(one.room) - order.indexOf(other.room);

describe('an import of another room', () => {
  for (const { room, text } of ROWS) {
    it(`is refused in ${room}, but for what it may import: ${text}`, () => {
      const [values, types] = text.startsWith('types of ') ? ['', text] : text.split('; types of ');
      const isAll = text === 'everything';
      for (const other of order.filter((each) => each !== room)) {
        const file = fileIn(room);
        const path = posix.relative(posix.dirname(file), fileIn(other));
        const value = isAll || namesIn(values).includes(other);
        hold(file, path.startsWith('.') ? path : `./${path}`, { value, type: value || namesIn(types).includes(other) });
      }
    });
  }
});

/** The rooms that run anywhere, or that only decide: nothing of Node.js is there. */
const WITHOUT_NODE = [
  'schemas/',
  'drizzle/',
  'src/domain/',
  'src/protocol/',
  'src/hub/',
  'src/documents/',
  'src/client/',
  'src/web/',
];
const NEVER = { value: false, type: false };

describe('an import from outside of the project', () => {
  for (const room of WITHOUT_NODE) {
    it(`is refused in ${room} where it is a module of Node.js`, () => {
      for (const name of builtinModules) {
        hold(fileIn(room), name, NEVER);
        if (!name.startsWith('node:')) hold(fileIn(room), `node:${name}`, NEVER);
      }
    });
  }

  it('is refused where it is a driver and the room is none that drives it', () => {
    for (const driver of ['better-sqlite3', 'pg', 'drizzle-orm', 'drizzle-orm/pg-core'])
      for (const room of ['schemas/', 'src/domain/', 'src/hub/', 'src/bus/', 'src/doors/', 'src/client/', 'src/web/'])
        hold(fileIn(room), driver, NEVER);
    for (const room of ['src/domain/', 'src/hub/', 'src/journal/', 'src/app.ts']) hold(fileIn(room), 'ioredis', NEVER);
    hold('src/doors/redis/some.ts', 'ioredis', { value: false, type: true });
  });

  it('is refused where it carries sockets and the room is none that does', () => {
    for (const carrier of ['ws', '@fastify/websocket', 'fastify'])
      for (const room of ['src/conversation/', 'src/commands/', 'src/hub/', 'src/journal/'])
        hold(fileIn(room), carrier, NEVER);
    hold('src/doors/websocket/some.ts', 'ws', { value: true, type: true });
  });

  it('is refused where it is the project itself by its name, a path of the machine, or an expression', () => {
    for (const from of ['telle/schemas', '/etc/passwd', 'file:///etc/passwd', '#some'])
      hold('src/doors/some.ts', from, NEVER);
    for (const room of ['src/doors/', 'src/client/', 'src/domain/'])
      assert.match(refusalsIn(fileIn(room), 'await import(some)')[0] ?? '', /expression/);
  });
});

/** A folder that is linted as the project is. */
const PROJECT = mkdtempSync(join(tmpdir(), 'telle-directions-'));
after(() => rmSync(PROJECT, { recursive: true }));

function lintOf(files: Readonly<Record<string, string>>, ...command: readonly string[]) {
  rmSync(PROJECT, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(PROJECT, path)), { recursive: true });
    writeFileSync(join(PROJECT, path), text);
  }
  mkdirSync(PROJECT, { recursive: true });
  copyFileSync('biome.json', join(PROJECT, 'biome.json'));
  writeFileSync(join(PROJECT, '.gitignore'), 'dist/\n');
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: PROJECT, encoding: 'utf8' });
  return { status, says: stdout + stderr };
}
const DIRECTIONS = [resolve('build/lint.ts')];
const BIOME = [resolve('node_modules/@biomejs/biome/bin/biome'), 'lint'];

describe('npm run lint', () => {
  it('refuses what goes the wrong way, says where and why, and fails', () => {
    const files = {
      'src/doors/http/items.ts': "import { RedisBus } from '../../bus/redis.ts';\n",
      'src/domain/chat.ts': "import { pg } from '../../schemas/kinds.ts';\n\nimport { readFileSync } from 'node:fs';\n",
      'src/metrics.ts': "import type { Journal } from './journal/journal.ts';\n",
      'src/client/index.ts': "import { isId } from '../../schemas/kinds.ts';\n",
      'src/hub/broken.ts': 'import { from;\n',
      'src/hub.ts': "import { decide } from './domain/decide.ts';\n",
    };
    const { status, says } = lintOf(files, ...DIRECTIONS);
    assert.equal(status, 1);
    assert.deepEqual(says.trim().split('\n').sort(), [
      'Something is in the wrong room: see "Rooms" in CONTRIBUTING.md. The table is build/directions.ts.',
      `src/client/index.ts:1 '../../schemas/kinds.ts': src/client/ may import only types of schemas/: "import type"`,
      `src/domain/chat.ts:3 'node:fs': src/domain/ may not import node:fs`,
      `src/doors/http/items.ts:1 '../../bus/redis.ts': src/doors/ may not import src/bus/`,
      `src/hub.ts:1 './domain/decide.ts': the file is in no room`,
      'src/hub/broken.ts cannot be read: Expected `,` or `}` but found `;`',
      `src/metrics.ts:1 './journal/journal.ts': src/metrics.ts may not import src/journal/`,
    ]);
  });

  it('passes what goes the right way, and fails where there is nothing to check', () => {
    const right = lintOf({ 'src/domain/chat.ts': "import { isId } from '../../schemas/kinds.ts';\n" }, ...DIRECTIONS);
    assert.deepEqual(right, { status: 0, says: 'Checked the imports of 1 files.\n' });
    const { status, says } = lintOf({}, ...DIRECTIONS);
    assert.equal(status, 1);
    assert.match(says, /No file was checked/);
  });

  it('refuses a cycle, though it be of types alone', () => {
    const one = { 'src/hub/one.ts': "import type { Two } from './two.ts';\nexport type One = Two | 1;\n" };
    const { status, says } = lintOf(
      { ...one, 'src/hub/two.ts': "import type { One } from './one.ts';\nexport type Two = One[];\n" },
      ...BIOME,
    );
    assert.equal(status, 1);
    assert.match(says, /noImportCycles/);
    assert.equal(lintOf({ ...one, 'src/hub/two.ts': 'export type Two = 2;\n' }, ...BIOME).status, 0);
  });

  it('refuses a clock, I/O and chance in the domain', () => {
    const uses = ['Date.now()', 'new Date()', 'performance.now()', 'crypto.randomUUID()', 'process.env', 'fetch("x")'];
    const files = uses.map((use, index) => [`src/domain/use${index}.ts`, `export const some = () => ${use};\n`]);
    const { status, says } = lintOf(Object.fromEntries(files), ...BIOME);
    assert.equal(status, 1);
    for (const [file] of files) assert.match(says, new RegExp(`${file}:1:\\d+ lint/style/noRestrictedGlobals`));
  });
});
