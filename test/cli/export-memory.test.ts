/** Everything of a dealer is written with a memory that does not grow with how much that is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from '../../src/app.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { makeDatabase, withClient } from '../support/postgres.ts';
import { type ServerProcess, startProcess, telle } from '../support/process.ts';
import { inFolder } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const [FEW, MANY] = [2_000, 200_000];
/** By how much the peak may differ. MANY events are larger by far. */
const MARGIN_MB = 50;
/** Else the engine lets lie what is not needed any more, up to as much again, and that is what would be measured. */
const HEAP = '--max-old-space-size=64 --max-semi-space-size=2';
const AUTH_SECRET = 'a secret of this test that nobody else has';

/** Two hundred thousand events take seconds, and many where the machine is busy. */
const PATIENCE = 120_000;

/** Has a process say on stderr, when it ends, the most memory that it ever had: kB. */
const TELLING_PEAK = `process.on('exit', () => process._rawDebug('peak ' + process.resourceUsage().maxRSS))`;
const NODE_OPTIONS = `${HEAP} --import=data:text/javascript,${encodeURIComponent(TELLING_PEAK)}`;
const peakOf = ({ stderr }: { readonly stderr: string }): number => {
  const [, peak] = /^peak (\d+)$/m.exec(stderr) ?? assert.fail(`it did not say: ${stderr}`);
  return Math.round(Number(peak) / 1024);
};

/** A database with its tables and a dealer. */
async function withDealer(DATABASE_URL: string): Promise<string> {
  const store = openStore(readSettings({ DATABASE_URL }));
  await store.migrate();
  await store.putDealer('d1', {});
  await store.close();
  return DATABASE_URL;
}

/** A database of a dealer with so many events, which nobody has sent: raw rows are faster. */
async function makeFile(file: string, events: number): Promise<string> {
  const DATABASE_URL = await withDealer(`sqlite:${file}`);
  const client = new Database(file);
  client.pragma('synchronous = OFF');
  client
    .prepare(
      `with recursive numbers(n) as (select 0 union all select n + 200 from numbers where n + 200 < ?)
       insert into groups (dealer_id, group_id, last_seq, created_at, updated_at)
       select 'd1', 'g' || (n / 200), 200, 0, 0 from numbers`,
    )
    .run(events);
  client
    .prepare(
      `with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n + 1 < ?)
       insert into events (position, previous, dealer_id, scope, seq, id, keyed, sender, type, group_id, payload, at)
       select n + 1, iif(n % 200 = 0, 0, n), 'd1', 'g' || (n / 200), n % 200 + 1, 'made-' || n, 0, 'server:crm', 'CHAT_MSG', 'g' || (n / 200),
         json_object('type', 'CHAT_MSG', 'dealerId', 'd1', 'message', printf('%0300d', n)), n from numbers`,
    )
    .run(events);
  client.close();
  return DATABASE_URL;
}

/** {@link makeFile}, on Postgres. */
async function makeDatabaseOf(events: number): Promise<string> {
  const DATABASE_URL = await withDealer(await makeDatabase(postgres));
  await withClient(DATABASE_URL, async (client) => {
    await client.query(`insert into groups (dealer_id, group_id, last_seq, created_at, updated_at)
      select 'd1', 'g' || n, 200, 0, 0 from generate_series(0, ${events / 200 - 1}) n`);
    await client.query(`insert into events (dealer_id, scope, seq, id, sender, type, group_id, payload, at)
      select 'd1', 'g' || (n / 200), n % 200 + 1, 'made-' || n, 'server:crm', 'CHAT_MSG', 'g' || (n / 200),
        '{"type":"CHAT_MSG","dealerId":"d1","message":"' || lpad(n::text, 300, '0') || '"}', n from generate_series(0, ${events - 1}) n`);
  });
  return DATABASE_URL;
}

function assertFlat(what: string, few: number, many: number): void {
  console.log(`${what}: ${few} MB at its peak for ${FEW} events, ${many} MB for ${MANY}`);
  assert.ok(many - few < MARGIN_MB, `${many} MB for ${MANY} events, and ${few} MB for ${FEW}`);
}

/** The last of a document's lines. */
async function lastLine(lines: AsyncIterable<string>): Promise<unknown> {
  let last = '';
  for await (const line of lines) last = line;
  return JSON.parse(last);
}

/** What a server answers, not a byte of which has been read. */
async function askForExport(server: ServerProcess): Promise<IncomingMessage> {
  const token = await new Tokens([AUTH_SECRET]).sign({
    role: 'admin',
    dealer: 'd1',
    sub: 'a1',
    exp: secondsFromNow(60),
  });
  const headers = { authorization: `Bearer ${token}` };
  const [response] = await once(get(`${server.http}/v1/dealers/d1/export`, { headers }), 'response');
  return response;
}

/** Exports over HTTP to a reader who lets it lie for as long as a hundred other requests take. @returns the server's peak */
async function readSlowly(DATABASE_URL: string, events: number): Promise<number> {
  const server = await startProcess({ env: { DATABASE_URL, AUTH_SECRET, NODE_OPTIONS }, patience: PATIENCE });
  try {
    const response = await askForExport(server);
    for (let turn = 0; turn < 100; turn += 1) await (await fetch(`${server.http}/health`)).text();
    assert.deepEqual(await lastLine(createInterface({ input: response })), {
      kind: 'end',
      counts: { group: events / 200, event: events },
    });
    assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
    return peakOf(server);
  } finally {
    await server.kill();
  }
}

/** Exports to a file. @returns the command's peak, and the file's size */
async function exportTo(file: string, DATABASE_URL: string, events: number) {
  const env = { DATABASE_URL, NODE_OPTIONS };
  const ended = await telle(['export', '--dealer', 'd1', '--output', file], { env, patience: PATIENCE });
  assert.equal(ended.code, 0, ended.stderr);
  const lines = createInterface({ input: createReadStream(file) });
  assert.deepEqual(await lastLine(lines), { kind: 'end', counts: { group: events / 200, event: events } });
  return { peak: peakOf(ended), size: (await stat(file)).size };
}

const DATABASES: Readonly<Record<string, (folder: string, events: number) => Promise<string>>> = {
  SQLite: (folder, events) => makeFile(join(folder, `${events}.db`), events),
  Postgres: (_, events) => makeDatabaseOf(events),
};

for (const [database, make] of Object.entries(DATABASES)) {
  describe(`an export of many events, on ${database}`, { timeout: 3 * PATIENCE }, () => {
    it('has a flat memory: telle export to a file, and GET …/export to a slow reader', () =>
      inFolder(async (folder) => {
        const [few, many] = [await make(folder, FEW), await make(folder, MANY)];
        const written = (url: string, events: number) => exportTo(join(folder, `${events}.ndjson`), url, events);
        const [small, large] = await Promise.all([written(few, FEW), written(many, MANY)]);
        assert.ok(large.size > 1.5 * MARGIN_MB * 1024 * 1024, 'what lies in memory would show');
        assertFlat('telle export', small.peak, large.peak);
        const [quick, slow] = await Promise.all([readSlowly(few, FEW), readSlowly(many, MANY)]);
        assertFlat('GET …/export', quick, slow);
      }));
  });
}
