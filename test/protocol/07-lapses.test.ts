/** [P-7.5] Who is here by a server's word alone: for how long that holds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { prune } from '../../src/journal/retention.ts';
import type { Store } from '../../src/store/store.ts';
import type { Client } from '../support/client.ts';
import { overriding } from '../support/faulty-store.ts';
import { journalOn } from '../support/journal.ts';
import { DEALER, inFolder, type TestServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const DAY = 24 * 60 * 60 * 1000;
/** A word ends as soon as it is looked for. */
const SHORT = { timing: { wordHolds: 1, lapseInterval: 20, presenceGrace: 20 } };
/** A word holds for as long as a test takes, and is looked for all the time. */
const LONG = { timing: { wordHolds: 60_000, lapseInterval: 20, presenceGrace: 20 } };

const of = (groupId: string, online: boolean) => ({
  type: 'UPDATE_GROUP',
  dealerId: DEALER,
  groupId,
  user: 'customer',
  online,
});

const say = (crm: Client, groupId: string, online = true) =>
  crm.ask('event', { type: 'UPDATE_GROUP', groupId, user: 'customer', online });

const gone = (desk: Client, groupId: string) =>
  desk.next(({ payload }) => isDeepStrictEqual(payload, of(groupId, false)));

const isOnline = async (server: TestServer, groupId: string) =>
  (await server.http('GET', `/v1/dealers/${DEALER}/groups/${groupId}`, { token: server.token('admin', 'a1') })).body
    .online;

describe('[P-7.5] a server’s word that a customer is here', { timeout: 30_000 }, () => {
  test('ends by itself, and is told to the desk once, as a leaving is', () =>
    withServer(SHORT, async (server) => {
      const [desk, crm] = [await server.admin('desk'), await server.server()];
      await say(crm, 'g1');
      const { channel, scope } = await gone(desk, 'g1');
      assert.deepEqual([channel, scope], ['CHAT_STATE', '@desk']);
      assert.equal(await isOnline(server, 'g1'), false);
      await say(crm, 'g2');
      await gone(desk, 'g2');
      const told = desk.frames.filter(({ payload }) => payload.groupId === 'g1').map(({ payload }) => payload);
      assert.deepEqual(told, [of('g1', true), of('g1', false)]);
    }));

  test('is also said of one that UPDATE_CHAT names, and ends likewise', () =>
    withServer(SHORT, async (server) => {
      const [desk, crm] = [await server.admin('desk'), await server.server()];
      await crm.ask('event', { type: 'UPDATE_CHAT', groupId: 'g1', user: 'customer', online: true });
      await gone(desk, 'g1');
    }));

  test('holds for its time, however often it is looked at', () => {
    let looks = 0;
    const wrapStore = (store: Store) =>
      overriding(store, {
        saidHere: async (...given) => {
          const found = await store.saidHere(...given);
          looks += 1;
          return found;
        },
      });
    return withServer({ ...LONG, wrapStore }, async (server) => {
      await say(await server.server(), 'g1');
      const before = looks;
      await until('it was looked for', async () => looks > before + 2);
      assert.equal(await isOnline(server, 'g1'), true);
    });
  });

  test('ends after a restart, too', () =>
    inFolder(async (folder) => {
      const settings = { DATABASE_URL: `sqlite:${folder}/telle.db` };
      await withServer({ ...LONG, settings }, async (server) => say(await server.server(), 'g1'));
      await withServer({ ...SHORT, settings }, async (server) => {
        await gone(await server.server(DEALER, { since: { '@desk': 1 } }), 'g1');
      });
    }));

  test('does not end what a socket says: who has one stays', () =>
    withServer(SHORT, async (server) => {
      const [desk, crm] = [await server.admin('desk'), await server.server()];
      await server.customer('here');
      await say(crm, 'here');
      await say(crm, 'behind');
      await gone(desk, 'behind');
      assert.equal(await isOnline(server, 'here'), true);
    }));

  test('keeps no conversation from being forgotten when its dealer’s time is over', () =>
    withServer(SHORT, async (server) => {
      const [desk, crm] = [await server.admin('desk'), await server.server('*')];
      await server.http('PATCH', `/v1/dealers/${DEALER}`, {
        token: server.token('server', 'crm', { dealer: '*' }),
        body: { retentionDays: 1 },
      });
      await crm.ask('event', { type: 'UPDATE_GROUP', dealerId: DEALER, groupId: 'g1', user: 'customer', online: true });
      await gone(desk, 'g1');
      const journal = journalOn(server.store);
      let groups = 0;
      for await (const pruned of prune(server.store, journal, Date.now() + 2 * DAY)) groups = pruned.groups;
      await journal.close();
      assert.equal(groups, 1);
    }));
});
