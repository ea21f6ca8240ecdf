/** Telle itself, as it is published: one node on SQLite, or as many as said on Postgres. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { SECRET } from './dialect.ts';
import type { Started } from './processes.ts';
import { fileOf, startServer } from './processes.ts';

export interface TelleOptions {
  /** How many dealers there are: `d0`, `d1`, … */
  readonly dealers: number;
  /** How many events the log already holds, of groups that are not met again. */
  readonly prefill?: number;
  /** True where it is spoken to by Socket.IO. */
  readonly socketIo?: boolean;
  /** Instead of SQLite, Postgres, and Redis between nodes. */
  readonly cluster?: { readonly postgres: string; readonly redis?: string; readonly nodes: number };
}

const MANY = '10000000';
/** Where profiles of the server go, if they are asked for. */
const PROFILES = process.env.BENCH_PROFILES;

const settings = {
  PORT: '0',
  LOG_LEVEL: 'warn',
  AUTH_SECRET: SECRET,
  RATE_LIMIT: 'off',
  MAX_CONNECTIONS: MANY,
  MAX_CONNECTIONS_PER_ADDRESS: MANY,
  MAX_CLAIMS_PER_ADDRESS: MANY,
  MAX_CLAIMS_PER_DEALER: MANY,
  MAX_SOCKETS_PER_GROUP: MANY,
  NODE_ENV: 'production',
};

async function migrate(url: string): Promise<void> {
  const store = openStore(readSettings({ DATABASE_URL: url }));
  await store.migrate();
  await store.close();
}

/** `d0`, `d1`, …, all at once: a commit for each would take longer than what is measured. */
async function makeDealers(postgres: string, dealers: number): Promise<void> {
  const client = new pg.Client({ connectionString: postgres });
  await client.connect();
  await client.query(
    "INSERT INTO dealers (dealer_id, created_at) SELECT 'd' || n, 0 FROM generate_series(0, $1::integer - 1) n",
    [dealers],
  );
  await client.end();
}

/** Events per group of those that are there before. */
const EVENTS_A_GROUP = 100;

/** Makes the dealers, and events of groups that are not met again. */
function furnish(file: string, dealers: number, events: number): void {
  const database = new Database(file);
  database.pragma('synchronous = OFF');
  const insert = database.prepare(
    `INSERT INTO events (previous, dealer_id, scope, seq, id, keyed, sender, type, group_id, payload, at)
      VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)`,
  );
  const text = 'Is the blue one in the yard still there, and may I drive it on Saturday?';
  const make = database.prepare('INSERT INTO dealers (dealer_id, created_at) VALUES (?, 0)');
  const begin = database.prepare(
    'INSERT INTO groups (dealer_id, group_id, last_seq, created_at, updated_at) VALUES (?, ?, ?, 0, 0)',
  );
  database.transaction(() => {
    for (let dealer = 0; dealer < dealers; dealer += 1) make.run(`d${dealer}`);
    for (let event = 0; event < events; event += 1) {
      const conversation = Math.floor(event / EVENTS_A_GROUP);
      const dealerId = `d${conversation % dealers}`;
      const groupId = `old${conversation}`;
      const payload = { type: 'CHAT_MSG', dealerId, groupId, user: 'customer', muted: false, unread: 1, message: text };
      const seq = (event % EVENTS_A_GROUP) + 1;
      const at = 1_700_000_000_000 + event;
      const json = JSON.stringify(payload);
      if (seq === 1) begin.run(dealerId, groupId, EVENTS_A_GROUP);
      const previous = seq === 1 ? 0 : event; // one conversation follows another, and the first position is 1
      insert.run(previous, dealerId, groupId, seq, `m-${event}`, groupId, 'CHAT_MSG', groupId, json, at);
    }
  })();
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
}

export async function startTelle({
  dealers,
  prefill: events = 0,
  socketIo = false,
  cluster,
}: TelleOptions): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'telle-bench-'));
  const file = join(folder, 'telle.db');
  const url = cluster?.postgres ?? `sqlite:${file}`;
  await migrate(url);
  if (cluster) await makeDealers(cluster.postgres, dealers);
  else furnish(file, dealers, events);
  const redis = cluster?.redis === undefined ? {} : { REDIS_URL: cluster.redis };
  const options = {
    script: fileOf('../../dist/src/main.js'),
    args: ['serve'],
    env: { ...settings, DATABASE_URL: url, ...redis, ...(socketIo && { SOCKET_IO: 'on' }) },
    ...(PROFILES !== undefined && {
      flags: ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`],
      signal: 'SIGTERM' as const,
    }),
  };
  const servers = await Promise.all(Array.from({ length: cluster?.nodes ?? 1 }, () => startServer(options)));
  return {
    servers,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
