/** The one table of who may import whom. `npm run lint` holds every import to it, and a test CONTRIBUTING.md. */
import { posix } from 'node:path';

/**
 * What a room may import besides itself: rooms by their names here, packages and `node:` by theirs, `*` for everything. Of `types` the
 * types alone.
 */
interface Room {
  readonly imports: readonly string[];
  readonly types?: readonly string[];
}

const EVERYTHING: Room = { imports: ['*'] };
const NOTHING: Room = { imports: [] };

/** Rooms that both implementations of the store need. */
const STORE = [
  'schemas/',
  'drizzle/',
  'src/assets.ts',
  'src/domain/',
  'src/store/',
  'src/store/subjects.ts',
  'drizzle-orm',
  'node:',
];

/** A room is a folder, some files of one whose names begin alike, or a file. A file is in the room with the longest name that it begins with. */
export const ROOMS: Readonly<Record<string, Room>> = {
  'schemas/': { imports: ['@sinclair/typebox'] },
  'drizzle/': { imports: ['drizzle-orm'], types: ['schemas/'] },
  'conformance/': { imports: ['node:', 'ws'] },
  'src/domain/': { imports: ['schemas/', 'temporal-polyfill'], types: ['@sinclair/typebox'] },
  'src/protocol/': { imports: ['schemas/', '@sinclair/typebox'] },
  'src/hub/': { imports: ['schemas/'] },
  'src/auth/': { imports: ['schemas/', '@sinclair/typebox', 'fast-jwt', 'node:'] },
  'src/documents/': { imports: ['schemas/'] },
  'src/bus/bus.ts': { imports: [], types: ['src/hub/'] },
  'src/bus/feed.ts': { imports: ['schemas/'], types: ['src/bus/bus.ts', 'src/hub/'] },
  'src/bus/link.ts': NOTHING,
  'src/bus/': { imports: ['schemas/', 'cluster-key-slot', 'ioredis', 'node:'], types: ['src/bus/bus.ts', 'src/hub/'] },
  'src/store/subjects.ts': { imports: [], types: ['schemas/', 'src/store/'] },
  'src/store/': {
    imports: ['schemas/', 'src/domain/', 'src/store/subjects.ts', 'drizzle-orm', 'node:'],
    types: ['drizzle/'],
  },
  'src/store/postgres/': { imports: [...STORE, 'pg'] },
  'src/store/sqlite/': { imports: [...STORE, 'src/private-file.ts', 'better-sqlite3'] },
  'src/journal/': {
    imports: ['schemas/', 'src/domain/', 'src/protocol/', 'node:'],
    types: ['src/bus/bus.ts', 'src/hub/', 'src/store/'],
  },
  'src/commands/': {
    imports: ['schemas/', 'src/auth/', 'src/protocol/', 'node:'],
    types: ['src/domain/', 'src/hub/', 'src/journal/', 'src/store/'],
  },
  'src/conversation/': {
    imports: [
      'schemas/',
      'src/auth/',
      'src/commands/',
      'src/domain/',
      'src/hub/',
      'src/journal/',
      'src/protocol/',
      'node:',
    ],
    types: ['src/bus/feed.ts', 'src/metrics.ts', 'src/open-files.ts', 'src/store/', 'src/timing.ts'],
  },
  'src/doors/dialect.ts': { imports: [], types: ['schemas/'] },
  'src/dialects/': { imports: ['schemas/', 'src/protocol/', 'node:'], types: ['src/doors/dialect.ts'] },
  'src/doors/': {
    imports: [
      'schemas/',
      'src/assets.ts',
      'src/auth/',
      'src/commands/',
      'src/conversation/',
      'src/documents/',
      'src/domain/',
      'src/hub/',
      'src/journal/',
      'src/protocol/',
      'src/store/subjects.ts',
      '@fastify',
      '@sinclair/typebox',
      'csv-stringify',
      'engine.io',
      'fast-xml-builder',
      'fastify',
      'node:',
      'socket.io-parser',
      'ws',
    ],
    types: [
      'src/bus/bus.ts',
      'src/bus/feed.ts',
      'src/bus/link.ts',
      'src/doors/dialect.ts',
      'src/metrics.ts',
      'src/store/',
      'src/timing.ts',
      'ioredis',
    ],
  },
  'src/metrics.ts': { imports: ['prom-client'], types: ['schemas/'] },
  'src/log.ts': NOTHING,
  'src/timing.ts': { imports: ['schemas/'] },
  'src/open-files.ts': { imports: ['node:'], types: ['fastify'] },
  'src/assets.ts': { imports: ['node:'] },
  'src/private-file.ts': { imports: ['node:'] },
  'src/nodes.ts': {
    imports: [
      'schemas/',
      'src/auth/',
      'src/bus/',
      'src/bus/link.ts',
      'src/commands/',
      'src/doors/',
      'src/hub/',
      'src/journal/',
      'src/protocol/',
      'src/services.ts',
      'node:',
    ],
    types: ['src/bus/bus.ts', 'src/metrics.ts', 'src/store/', 'src/timing.ts'],
  },
  'src/services.ts': { imports: ['src/bus/', 'src/doors/'], types: ['src/doors/dialect.ts', 'ioredis'] },
  'src/shown.ts': {
    imports: ['src/bus/'],
    types: ['src/bus/bus.ts', 'src/conversation/', 'src/hub/', 'src/journal/', 'src/metrics.ts', 'src/store/'],
  },
  'src/app.ts': {
    imports: [
      'schemas/',
      'src/auth/',
      'src/bus/',
      'src/bus/feed.ts',
      'src/bus/link.ts',
      'src/commands/',
      'src/conversation/',
      'src/dialects/',
      'src/doors/',
      'src/hub/',
      'src/journal/',
      'src/log.ts',
      'src/metrics.ts',
      'src/nodes.ts',
      'src/open-files.ts',
      'src/services.ts',
      'src/shown.ts',
      'src/store/',
      'src/store/postgres/',
      'src/store/sqlite/',
      'src/timing.ts',
      'fastify',
      'node:',
    ],
    types: ['src/doors/dialect.ts'],
  },
  'src/client/': { imports: [], types: ['schemas/'] },
  'src/bot/': { imports: ['src/client/', 'node:'], types: ['schemas/', '@sinclair/typebox'] },
  'src/web/': { imports: ['src/client/', 'src/web/widget/lazy.ts', 'linkify-it', 'preact'], types: ['schemas/'] },
  // It loads what is known by its address alone.
  'src/web/widget/lazy.ts': { imports: ['*'] },
  'src/cli/': {
    imports: [
      'schemas/',
      'conformance/',
      'src/app.ts',
      'src/assets.ts',
      'src/auth/',
      'src/bus/',
      'src/client/',
      'src/dialects/',
      'src/journal/',
      'src/log.ts',
      'src/open-files.ts',
      'src/private-file.ts',
      'src/protocol/',
      'src/store/',
      'src/timing.ts',
      '@sinclair/typebox',
      'cli-progress',
      'commander',
      'drizzle-orm',
      'ioredis',
      'leven',
      'node:',
      'smol-toml',
    ],
    types: ['fastify'],
  },
  'src/program.ts': { imports: ['src/cli/', 'node:'] },
  // An old Node.js, which it is to tell so, knows no `node:`.
  'src/main.ts': { imports: ['src/program.ts', 'fs'] },
  'build/': EVERYTHING,
  'test/': EVERYTHING,
};

export interface Import {
  /** As it is written; null where that is no text but an expression. */
  readonly from: string | null;
  /** True where nothing of it is left when the code runs. */
  readonly isType: boolean;
}

/** The room of a file, by its path in the project; undefined: it has none. */
export const roomOf = (file: string): string | undefined =>
  Object.keys(ROOMS)
    .filter((room) => file.startsWith(room))
    .sort((one, other) => other.length - one.length)[0];

const named = (rooms: readonly string[]) => rooms.filter((each) => each in ROOMS).map((each) => `\`${each}\``);

/** Which rooms a room may import, as CONTRIBUTING.md says it. */
export function allowed(name: string): string {
  const { imports = [], types = [] } = ROOMS[name] ?? {};
  if (imports.includes('*')) return 'everything';
  const ofTypes = named(types).length > 0 ? [`types of ${named(types).join(', ')}`] : [];
  return [named(imports).join(', '), ...ofTypes].filter((each) => each !== '').join('; ') || 'nothing of the project';
}

const isPackageOf = (name: string, entry: string) => name === entry || name.startsWith(entry.replace(/[^:]$/, '$&/'));

/** Why a file may not import something, in a sentence; null: it may. */
export function refusal(file: string, { from, isType }: Import): string | null {
  const name = roomOf(file);
  const room = name === undefined ? undefined : ROOMS[name];
  if (!room) return 'the file is in no room';
  if (room.imports.includes('*')) return null;
  if (from === null) return 'what is imported is an expression: nobody can see where it leads';
  const isFile = /^\.\.?\//.test(from);
  const target = isFile ? posix.join(posix.dirname(file), from) : from;
  const targetRoom = isFile ? roomOf(target) : undefined;
  if (isFile && targetRoom === name) return null;
  const isIn = (entries: readonly string[] = []) =>
    entries.some((entry) => (isFile ? entry === targetRoom : isPackageOf(target, entry)));
  if (isIn(room.imports) || (isType && isIn(room.types))) return null;
  if (isIn(room.types)) return `${name} may import only types of ${targetRoom ?? target}: "import type"`;
  return `${name} may not import ${targetRoom ?? target}`;
}
