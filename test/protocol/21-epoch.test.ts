/** [P-21.1] The log's epoch: told at each join and with each page of a log; where it is another, nothing counts as recovered. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { connect } from '../../src/client/index.ts';
import type { TestDatabase } from '../support/database.ts';
import { openDatabase } from '../support/database.ts';
import { adminJoin } from '../support/joins.ts';
import { named, Place } from '../support/sdk.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

const timing = { nodeInterval: 20, closeTimeout: 50 };
const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

/** Gives the file another epoch, as `telle restore` does. */
function restore({ url }: TestDatabase): void {
  const client = new Sqlite(url.replace('sqlite:', ''));
  client.pragma(`user_version = ${Number(client.pragma('user_version', { simple: true })) + 1}`);
  client.close();
}

async function withFile(use: (server: TestServer, database: TestDatabase) => Promise<void>): Promise<void> {
  const database = await openDatabase('SQLite');
  const server = await startServer({ settings: { DATABASE_URL: database.url }, timing });
  try {
    await use(server, database);
  } finally {
    await server.close();
    await database.close();
  }
}

describe('[P-21.1] the epoch of the log', () => {
  test('is told in every session and with every page of a log, and stays over a restart', () =>
    withFile(async (server, database) => {
      const customer = await server.customer('g1');
      const { epoch, token } = customer.session;
      assert.match(epoch, /^[\w-]{6,64}$/);
      const sessions = [await server.admin(), await server.server(), await server.server('*')];
      for (const { session } of sessions) assert.equal(session.epoch, epoch);
      await customer.ask('customer_message', say('one'));
      const page = await server.http('GET', `/v1/dealers/${DEALER}/scopes/g1/events`, { token });
      assert.equal(page.body.epoch, epoch);
      const again = await startServer({ settings: { DATABASE_URL: database.url }, timing });
      assert.equal((await again.server()).session.epoch, epoch);
      await again.close();
    }));

  test('is another for another database', () =>
    withFile((one) =>
      withFile(async (other) => {
        assert.notEqual((await one.server()).session.epoch, (await other.server()).session.epoch);
      }),
    ));

  test('beside since: with the present one what was missed comes; with another one nothing is recovered', () =>
    withFile(async (server) => {
      const customer = await server.customer('g1');
      const { epoch, token } = customer.session;
      await customer.ask('customer_message', say('one'));
      const rejoin = async (more: object) => {
        const client = await server.customer('g1', { token, since: { g1: 0, '@dealer': 0 }, ...more });
        await client.settled();
        return [client.session.recovered, client.session.epoch, client.seqs('g1')];
      };
      const [all, none] = [
        { g1: true, '@dealer': true },
        { g1: false, '@dealer': false },
      ];
      assert.deepEqual(await rejoin({ epoch }), [all, epoch, [1]]);
      assert.deepEqual(await rejoin({}), [all, epoch, [1]]);
      for (const other of ['', 'another', `${epoch}x`])
        assert.deepEqual(await rejoin({ epoch: other }), [none, epoch, []]);
      const joining = await server.connect();
      const { code } = await joining.ask('admin_join', adminJoin({ token: server.token('admin', 'a1'), epoch: 7 }));
      assert.equal(code, 'invalid_payload');
    }));

  test('that changes closes every socket with 1012; with the old one nothing is recovered then', () =>
    withFile(async (server, database) => {
      const [customer, admin, other] = [await server.customer('g1'), await server.admin(), await server.server('*')];
      const { epoch, token } = customer.session;
      await customer.ask('customer_message', say('one'));
      restore(database);
      assert.deepEqual(await Promise.all([customer, admin, other].map(({ closed }) => closed)), [1012, 1012, 1012]);
      const since = { g1: 1, '@dealer': 0 };
      const back = await server.customer('g1', { token, since, epoch });
      assert.notEqual(back.session.epoch, epoch);
      assert.deepEqual(back.session.recovered, { g1: false, '@dealer': false });
      assert.deepEqual((await server.customer('g1', { token, since })).session.recovered, {
        g1: true,
        '@dealer': true,
      });
    }));
});

describe('[P-21.1] the client', () => {
  test('keeps and sends the epoch, and is told to read anew from the beginning after a change', async () => {
    const database = await openDatabase('SQLite');
    const place = await Place.open({ settings: { DATABASE_URL: database.url }, timing });
    try {
      const { client, heard, groupId } = await place.customer();
      await client.send('customer_message', { type: 'UPDATE_MSG', message: 'one' });
      const { epoch } = client.session ?? {};
      place.proxy.cut();
      place.proxy.mend();
      await heard.first(2, named('session'));
      assert.equal(heard.items.some(named('gap')), false);
      restore(database);
      await heard.first(3, named('session'));
      const gaps = (await heard.first(2, named('gap'))).map(({ payload }) => payload);
      assert.deepEqual(
        new Map(gaps.map(({ scope, after }) => [scope, after])),
        new Map([
          ['@dealer', 0],
          [groupId, 0],
        ]),
      );
      assert.notEqual(client.session?.epoch, epoch);
    } finally {
      await place.close();
      await database.close();
    }
  });

  test('takes since with the epoch that it is of', async () => {
    const place = await Place.open({});
    try {
      const { client, groupId } = await place.customer();
      await client.send('customer_message', { type: 'UPDATE_MSG', message: 'one' });
      const token = place.server.token('admin', 'a1');
      const options = { ...place.common, role: 'admin', adminId: 'a1', token, since: { [groupId]: 1 } } as const;
      for (const [epoch, recovered] of [
        [client.session?.epoch ?? assert.fail('no epoch'), true],
        ['another', false],
      ] as const) {
        const { heard } = place.of(connect({ ...options, epoch }));
        const [session] = await heard.first(1, named('session'));
        assert.deepEqual(session?.payload.recovered, { [groupId]: recovered });
      }
    } finally {
      await place.close();
    }
  });
});
