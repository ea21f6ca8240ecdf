/** [P-11.1] `GET /ready` names each part of a node: that it is `ok`, or in a few words what is wrong with it. */
import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXCHANGES } from '../../schemas/http-examples.ts';
import { gate, overriding } from '../support/faulty-store.ts';
import { assertProblem } from '../support/problem.ts';
import { inFolder, startServer, type TestServer, withServer } from '../support/server.ts';
import { onSmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

const SECRET = 'connect ECONNREFUSED postgres://telle:hunter2@db';

/** The states alone, by part. */
const statesOf = (parts: Readonly<Record<string, { readonly state: string }>>): Record<string, string> =>
  Object.fromEntries(Object.entries(parts).map(([part, { state }]) => [part, state]));

const ready = (server: TestServer) => server.http('GET', '/ready');

describe('[P-11.1] the parts of a node that is alone', () => {
  test('are the database, with its epoch and the schema of its tables, and the drain; on a disk that, too', () =>
    inFolder(async (folder) => {
      const server = await startServer({ settings: { DATABASE_URL: `sqlite:${join(folder, 'telle.db')}` } });
      try {
        const { status, body } = await ready(server);
        assert.equal(status, 200);
        const { disk, ...rest } = body.parts;
        assert.match(disk.state, /^ok$|^only [\d.]+ GiB are free$/);
        assert.deepEqual(statesOf(rest), { database: 'ok', drain: 'ok' });
        assert.equal(rest.database.epoch, await server.store.epoch());
        assert.match(rest.database.schema, /^\d{4}_\w+$/);
        assert.ok(JSON.stringify(EXCHANGES).includes(`"schema":"${rest.database.schema}"`), 'as the documents show it');
      } finally {
        await server.close();
      }
    }));

  test('name no disk where the database is in memory, and nothing of Redis', () =>
    withServer({}, async (server) => {
      assert.deepEqual(statesOf((await ready(server)).body.parts), { database: 'ok', drain: 'ok' });
    }));

  test('are told with a 503, too: the database that does not answer, without a word of its driver’s', () =>
    withServer(
      { wrapStore: (store) => overriding(store, { check: () => Promise.reject(new Error(SECRET)) }) },
      async (server) => {
        const problem = assertProblem(await ready(server), 503, 'unavailable');
        assert.deepEqual(statesOf(problem.parts), { database: 'it does not answer', drain: 'ok' });
        assert.doesNotMatch(JSON.stringify(problem), /hunter2|ECONNREFUSED/);
      },
    ));

  for (const [code, state] of [
    ['SQLITE_BUSY', 'another process has locked it'],
    ['SQLITE_READONLY_DBMOVED', 'it can only be read'],
    ['25006', 'it can only be read'],
  ]) {
    test(`the database, where it fails with ${code}: ${state}`, () => {
      const check = () => Promise.reject(Object.assign(new Error(SECRET), { code }));
      return withServer({ wrapStore: (store) => overriding(store, { check }) }, async (server) => {
        const { parts } = assertProblem(await ready(server), 503, 'unavailable');
        assert.equal(parts.database.state, state);
      });
    });
  }

  test('a disk that is full: of the database that it cannot be written to, of the disk how little is free', () =>
    onSmallDisk(async ({ folder, fill }) => {
      const server = await startServer({ settings: { DATABASE_URL: `sqlite:${join(folder, 'telle.db')}` } });
      try {
        const { body } = await ready(server);
        assert.equal(body.parts.database.state, 'ok');
        assert.equal(body.parts.disk.state, 'only 0.0 GiB are free');
        fill();
        await until('it is told', async () => (await ready(server)).status === 503);
        const { parts } = (await ready(server)).body;
        assert.equal(parts.database.state, 'there is no room to write');
      } finally {
        await server.close();
      }
    }));

  test('a disk that cannot be looked at any more: the other parts are told all the same', () =>
    inFolder(async (folder) => {
      const there = join(folder, 'there');
      const server = await startServer({ settings: { DATABASE_URL: `sqlite:${join(there, 'telle.db')}` } });
      try {
        await rename(there, join(folder, 'elsewhere'));
        const { parts } = (await ready(server)).body;
        assert.equal(parts.disk.state, 'it cannot be looked at');
        assert.equal(parts.drain.state, 'ok');
      } finally {
        await server.close();
      }
    }));

  test('the database is asked again a second after it has answered, and not while it hangs', () => {
    const { opened, open } = gate();
    let asked = 0;
    const check = () => {
      asked += 1;
      return opened;
    };
    return withServer({ wrapStore: (store) => overriding(store, { check }) }, async (server) => {
      const first = ready(server);
      await sleep(1100);
      const second = ready(server);
      await sleep(100);
      assert.equal(asked, 1, 'while it hangs');
      open();
      for (const answer of [await first, await second, await ready(server)]) assert.equal(answer.status, 200);
      assert.equal(asked, 1, 'within a second of its answer');
      await sleep(1100);
      await ready(server);
      assert.equal(asked, 2);
    });
  });

  test('a node that is about to end: the drain says so, and the database is well', async () => {
    const server = await startServer({ timing: { drainPause: 300 } });
    const at = await server.listen();
    const closed = server.close();
    try {
      const answer = await fetch(`http://${at}/ready`);
      const { code, parts } = JSON.parse(await answer.text());
      assert.deepEqual([answer.status, code], [503, 'unavailable']);
      assert.deepEqual(statesOf(parts), { database: 'ok', drain: 'this node is about to end' });
    } finally {
      await closed;
    }
  });
});
