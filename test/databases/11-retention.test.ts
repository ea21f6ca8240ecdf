/** [P-11.5] `retentionDays`: what is too old for its dealer is forgotten by itself. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import type { Group } from '../../src/domain/state.ts';
import type { Store } from '../../src/store/store.ts';
import { page } from '../support/lists.ts';
import { makeDatabase } from '../support/postgres.ts';
import { eventRow, groupRow, known, write } from '../support/rows.ts';
import { DEALER, inFolder, type TestServer, withServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const DAY = 24 * 3_600_000;
const RETENTION = { origins: ['*'], retentionDays: 30 };
/** Often enough to be waited for. */
const timing = { retentionInterval: 20, presenceGrace: 5, closeTimeout: 5 };

const DATABASES = {
  SQLite: async (folder: string) => `sqlite:${join(folder, 'telle.db')}`,
  Postgres: () => makeDatabase(postgres),
};

/** As if so many days had passed since something happened in a group. */
const age = (store: Store, name: string, days: number, group: Partial<Group> = {}) =>
  write(store, { groups: { [name]: groupRow(group) }, at: Date.now() - days * DAY });

/** A conversation of one message and its user, of so many days ago. */
async function writeOld(store: Store, groupId: string, days: number, dealerId = DEALER): Promise<void> {
  const name = `${dealerId}/${groupId}`;
  // At once: a server that looks all the time may not meet half of it.
  await write(store, {
    events: [eventRow(dealerId, groupId, 1)],
    users: { [name]: known({ name: groupId }) },
    groups: { [name]: groupRow({ lastSeq: 1, lastMessageSeq: 1 }) },
    at: Date.now() - days * DAY,
  });
}

/** Resolves when whatever was due when it was called has been looked at. */
async function lookedThrough(store: Store): Promise<void> {
  for (const sentinel of ['first', 'second']) {
    await age(store, `${DEALER}/${sentinel}`, 31);
    await until(`${sentinel} is forgotten`, async () => (await store.group(DEALER, sentinel)) === null);
  }
}

for (const [database, urlIn] of Object.entries(DATABASES)) {
  /** A server that looks all the time, of a dealer that keeps everything for 30 days. */
  const withRetention = (use: (server: TestServer) => Promise<void>) => () =>
    inFolder(async (folder) =>
      withServer({ timing, settings: { DATABASE_URL: await urlIn(folder) } }, async (server) => {
        await server.store.putDealer(DEALER, RETENTION);
        await use(server);
      }),
    );

  describe(`[P-11.5] retentionDays, on ${database}`, () => {
    test(
      'forgets what has been quiet for longer, with a receipt that says why, and tells the desk',
      withRetention(async (server) => {
        const { store } = server;
        await store.putDealer('d2', {});
        await store.putDealer('d3', { retentionDays: 365 });
        await writeOld(store, 'young', 29);
        for (const dealerId of ['d2', 'd3']) await writeOld(store, 'old', 300, dealerId);
        const witness = await server.admin();
        await writeOld(store, 'old', 31);
        const { payload, seq } = await witness.next('ERASE_GROUP');
        assert.deepEqual([payload.groupId, payload.online, seq], ['old', false, undefined]);
        assert.equal(await store.group(DEALER, 'old'), null);
        const [receipt, ...others] = (await page(server, 'erasures')).items;
        assert.deepEqual([receipt?.reason, receipt?.events, receipt?.users, others], ['retention', 1, 1, []]);
        await lookedThrough(store);
        assert.equal((await store.group(DEALER, 'young'))?.seq, 1);
        for (const dealerId of ['d2', 'd3']) assert.equal((await store.group(dealerId, 'old'))?.seq, 1, dealerId);
        const { items } = await page(server, 'users');
        assert.deepEqual(
          items.map(({ groupId }) => groupId),
          ['young'],
        );
      }),
    );

    test(
      'never forgets a customer who is here, however long ago anything happened; the time begins when it leaves',
      withRetention(async (server) => {
        const { store } = server;
        const guest = await server.customer('here');
        await age(store, `${DEALER}/here`, 400, { online: true });
        await lookedThrough(store);
        assert.equal((await store.group(DEALER, 'here'))?.online, true);
        assert.equal((await guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'still here' })).seq, 1);
        await age(store, `${DEALER}/here`, 400, { online: true, lastSeq: 1 });
        const witness = await server.admin();
        await guest.close();
        assert.equal((await witness.next('UPDATE_GROUP')).payload.online, false);
        await lookedThrough(store);
        assert.equal((await store.group(DEALER, 'here'))?.online, false);
      }),
    );

    test('is carried out at the start, for more dealers and groups than are looked at at a time', () =>
      inFolder(async (folder) => {
        const settings = { DATABASE_URL: await urlIn(folder) };
        const store = openStore(readSettings(settings));
        try {
          await store.migrate();
          const dealerIds = Array.from({ length: 101 }, (_, index) => `dealer-${index}`).toSorted();
          for (const dealerId of dealerIds) await store.putDealer(dealerId, { retentionDays: 30 });
          const [busy = '', last = ''] = [dealerIds.at(0), dealerIds.at(-1)];
          const old = Array.from({ length: 101 }, (_, index) => [`${busy}/g${index}`, groupRow()]);
          await write(store, { groups: Object.fromEntries(old), at: Date.now() - 31 * DAY });
          await age(store, `${last}/old`, 31);
          await withServer({ settings }, () =>
            until('the last is forgotten', async () => (await store.group(last, 'old')) === null),
          );
          assert.deepEqual((await store.groups(busy, {}, { limit: 1 })).groups, []);
          assert.equal((await store.erasures(busy, { limit: 1000 })).length, 101);
        } finally {
          await store.close();
        }
      }));
  });
}
