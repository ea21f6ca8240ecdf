/** `telle prune`: carries out what dealers' `retentionDays` ask for, beside a server or without one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { openStore } from '../../src/app.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { connect } from '../../src/client/index.ts';
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
    (await store.groups(dealerId, {}, { limit: 10 })).groups.map(({ groupId }) => groupId).sort();
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

/** Counts the errors that come over it. */
class Untiring extends WebSocket {
  static refused = 0;

  constructor(url: string, protocol: string) {
    super(url, protocol);
    this.on('message', (data) => {
      if (JSON.parse(String(data)).channel === 'error') Untiring.refused += 1;
    });
  }
}

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
        const pruning = telle(['prune', '--url', server.http], { cwd, env });
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

  it('has the server do it that has the file, so that nobody is refused meanwhile', () =>
    inFolder(async (cwd) => {
      const AUTH_SECRET = 'a secret of this test that nobody else has';
      const env = { DATABASE_URL: 'sqlite:telle.db', AUTH_SECRET, RATE_LIMIT: 'off' };
      const server = await startProcess({ cwd, env });
      const store = openStore(readSettings({ DATABASE_URL: `sqlite:${join(cwd, 'telle.db')}` }));
      try {
        await store.putDealer('d1', { retentionDays: 30 });
        const at = Date.now() - 31 * DAY;
        const names = Array.from({ length: 600 }, (_, index) => `g${index}`);
        const groups = Object.fromEntries(
          names.map((name) => [`d1/${name}`, groupRow({ lastSeq: 1, lastMessageSeq: 1 })]),
        );
        await write(store, { groups, events: names.map((name) => eventRow('d1', name, 1)), at });
        const client = connect({
          role: 'server',
          url: server.url,
          dealerId: 'd1',
          token: new Tokens([AUTH_SECRET]).sign({ role: 'server', dealer: 'd1', sub: 'crm', exp: secondsFromNow(60) }),
          WebSocket: Untiring,
        });
        let isPruning = true;
        const pruning = telle(['prune', '--url', server.http], { cwd, env }).finally(() => {
          isPruning = false;
        });
        let sent = 0;
        for (; isPruning; sent += 1)
          await client.send('event', { type: 'UPDATE_MSG', groupId: 'live', user: 'customer', message: `${sent}` });
        client.close();
        assert.deepEqual(await pruning, {
          code: 0,
          stdout: '600 conversations of 1 dealers with retentionDays were erased\n',
          stderr: '',
        });
        assert.ok(sent > 50, `${sent} sent`);
        assert.deepEqual([Untiring.refused, server.stderr], [0, '']);
      } finally {
        await store.close();
        await server.kill();
      }
    }));

  it('says so where the server that has the file is not where it asks, and does nothing', () =>
    inFolder(async (cwd) => {
      const env = { DATABASE_URL: `sqlite:${join(cwd, 'telle.db')}` };
      const store = openStore(readSettings(env), { alone: true });
      try {
        await store.migrate();
        await fill(store);
        const { code, stdout, stderr } = await telle(['prune', '--url', 'http://127.0.0.1:1'], {
          env: { ...env, AUTH_SECRET: 'a secret of this test that nobody else has' },
        });
        assert.deepEqual([code, stdout], [1, '']);
        assert.match(
          stderr,
          /^telle: a server has \S+telle\.db, and is to do it: http:\/\/127\.0\.0\.1:1 does not answer: .*: say where it is with --url\n$/,
        );
        assert.equal((await store.groups('d1', {}, { limit: 10 })).groups.length, 4);
      } finally {
        await store.close();
      }
    }));

  it('says what to do where the server does not take its token, or is none', () =>
    inFolder(async (cwd) => {
      const env = { DATABASE_URL: 'sqlite:telle.db', AUTH_SECRET: 'a secret of this test that nobody else has' };
      const server = await startProcess({ cwd, env });
      const bystander = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
      try {
        await once(bystander, 'listening');
        const address = bystander.address();
        assert.ok(typeof address === 'object' && address);
        const token = await new Tokens([env.AUTH_SECRET]).sign({
          role: 'server',
          dealer: 'd1',
          sub: 'crm',
          exp: secondsFromNow(60),
        });
        const advice = 'give a token of that server with --token, or its AUTH_SECRET';
        const AUTH_SECRET = 'another secret, which is not that of the server';
        for (const [args, more, says] of [
          [['--url', server.http], { AUTH_SECRET }, new RegExp(` answers 401: [^\\n]+: ${advice}\\n$`)],
          [['--url', server.http, '--token', token], {}, new RegExp(` answers 403: [^\\n]+: ${advice}\\n$`)],
          [['--url', `http://127.0.0.1:${address.port}`], {}, / answers 404: Not Found: say where it is with --url\n$/],
        ] as const) {
          const { code, stdout, stderr } = await telle(['prune', ...args], { cwd, env: { ...env, ...more } });
          assert.deepEqual([code, stdout], [1, '']);
          assert.match(stderr, says);
        }
      } finally {
        bystander.close();
        await server.kill();
      }
    }));
});
