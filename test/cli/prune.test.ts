/** `telle prune`: carries out what dealers' `retentionDays` ask for, beside a server or without one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Store } from '../../src/store/store.ts';
import { makeDatabase } from '../support/postgres.ts';
import { startProcess, telle } from '../support/process.ts';
import { eventRow, groupRow, known, readSeqs, write } from '../support/rows.ts';
import { inFolder } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const DAY = 24 * 3_600_000;
const DATABASES = {
  SQLite: async (folder: string) => `sqlite:${join(folder, 'telle.db')}`,
  Postgres: () => makeDatabase(postgres),
};

/** A conversation of one message, so many days old. */
async function converse(store: Store, name: string, days: number, online = false): Promise<void> {
  const [dealerId = '', groupId = ''] = name.split('/');
  const at = Date.now() - days * DAY;
  const groups = { [name]: groupRow({ lastSeq: 1, lastMessageSeq: 1, online }) };
  await write(store, { groups, events: [eventRow(dealerId, groupId, 1)], users: { [name]: known({ name }) }, at });
}

/** Two conversations that d1 keeps no longer, and others that are kept: new ones, one who is here, other dealers'. */
async function fill(store: Store): Promise<void> {
  await store.putDealer('d1', { retentionDays: 30 });
  await store.putDealer('d2', {});
  await store.putDealer('d3', { retentionDays: 365 });
  for (const name of ['d1/old', 'd1/older', 'd2/old', 'd3/old']) await converse(store, name, 31);
  await converse(store, 'd1/young', 29);
  await converse(store, 'd1/here', 31, true);
}

async function assertPruned(store: Store): Promise<void> {
  const names = async (dealerId: string) =>
    (await store.groups(dealerId, {}, { limit: 10 })).map(({ groupId }) => groupId).sort();
  assert.deepEqual(await names('d1'), ['here', 'young']);
  assert.deepEqual([await names('d2'), await names('d3')], [['old'], ['old']]);
  const receipts = await store.erasures('d1', { limit: 10 });
  assert.deepEqual(
    receipts.map(({ reason, events, users }) => [reason, events, users]),
    [
      ['retention', 1, 1],
      ['retention', 1, 1],
    ],
  );
  const users = await store.records('users', 'd1', { limit: 10 });
  assert.deepEqual(users.map(({ groupId }) => groupId).sort(), ['here', 'young']);
}

const said = (groups: number) => ({
  code: 0,
  stdout: `${groups} conversations of 2 dealers with retentionDays were erased\n`,
  stderr: '',
});

describe('telle prune', { timeout: 60_000 }, () => {
  for (const [database, urlIn] of Object.entries(DATABASES)) {
    it(`erases on ${database} what is due and nothing else, and says how much that was`, () =>
      inFolder(async (folder) => {
        const env = { DATABASE_URL: await urlIn(folder) };
        const store = openStore(readSettings(env));
        try {
          await store.migrate();
          await fill(store);
          assert.deepEqual(await telle(['prune'], { env }), said(2));
          await assertPruned(store);
          assert.deepEqual(await telle(['prune'], { env }), said(0));
          await assertPruned(store);
        } finally {
          await store.close();
        }
      }));
  }

  it('runs beside a server on the same SQLite file, which goes on and knows what was erased', () =>
    inFolder(async (cwd) => {
      const AUTH_SECRET = 'a secret of this test that nobody else has';
      const env = { DATABASE_URL: 'sqlite:telle.db', AUTH_SECRET };
      const server = await startProcess({ cwd, env });
      const store = openStore(readSettings({ DATABASE_URL: `sqlite:${join(cwd, 'telle.db')}` }));
      try {
        await fill(store);
        const token = await new Tokens([AUTH_SECRET]).sign({
          role: 'server',
          dealer: 'd1',
          sub: 'crm',
          exp: secondsFromNow(60),
        });
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const groupAt = (groupId: string) => fetch(`${server.http}/v1/dealers/d1/groups/${groupId}`, { headers });
        const say = async (groupId: string): Promise<number> => {
          const body = JSON.stringify({ type: 'UPDATE_MSG', groupId, user: 'customer', message: 'Hello' });
          const response = await fetch(`${server.http}/v1/events`, { method: 'POST', headers, body });
          return Object(await response.json()).results[0].seq;
        };
        assert.equal((await groupAt('old')).status, 200);
        const pruning = telle(['prune'], { cwd, env });
        for (let seq = 1; seq <= 20; seq += 1) assert.equal(await say('meanwhile'), seq);
        assert.deepEqual(await pruning, said(2));
        assert.equal((await groupAt('old')).status, 404);
        assert.equal((await groupAt('here')).status, 200);
        assert.equal(await say('old'), 2, 'a new conversation counts on');
        assert.equal((await readSeqs(store, 'd1', 'meanwhile')).length, 20);
        assert.equal(server.stderr, '');
      } finally {
        await store.close();
        await server.kill();
      }
    }));
});
