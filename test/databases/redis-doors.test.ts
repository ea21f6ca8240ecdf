/** [P-6, P-8.6, P-10] The doors of Redis: what other servers publish, what they add to the stream, and what they hear. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SENDS } from '../../schemas/table.ts';
import type { Store } from '../../src/store/store.ts';
import { gate, overriding } from '../support/faulty-store.ts';
import { REDIS_DOORS } from '../support/outside.ts';
import { messagesOf, saying, withPlatform } from '../support/platform.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER } from '../support/server.ts';
import { until } from '../support/until.ts';
import { inVersion1 } from '../support/version-one.ts';

const at = { dealerId: DEALER, groupId: 'g1' };
const byAdmin = { user: 'admin', adminId: 'a1' };
const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', ...at, user: 'customer', message, ...more });

interface Row {
  readonly sent: { readonly type: string };
  /** What comes of it; without a scope it is not stored. */
  readonly channel: string;
  readonly scope?: string;
  readonly told: object;
}

const row = (type: string, fields: object, channel: string, scope: string | undefined, told: object): Row => ({
  sent: { type, ...fields },
  channel,
  ...(scope !== undefined && { scope }),
  told: { type, ...told },
});
const same = (type: string, fields: object, channel: string, scope?: string) =>
  row(type, fields, channel, scope, fields);
const recorded = (type: string, message: object) =>
  row(type, { ...at, message }, 'CUSTOMER_STATE', '@desk', { ...at, message, user: 'server' });
const atDealer = { dealerId: DEALER, ...byAdmin };

/** Each type of section 6, in an order in which each may come. */
const ROWS: readonly Row[] = [
  row('UPDATE_MSG', say('hello "😀" \0'), 'CHAT_MESSAGE', 'g1', {
    ...say('hello "😀" \0'),
    type: 'CHAT_MSG',
    muted: false,
    unread: 1,
  }),
  row('MUTE_BOT', { ...at, adminId: 'a1' }, 'MUTE_STATE', 'g1', {
    type: 'MUTE_STATUS',
    ...at,
    adminId: 'a1',
    muted: true,
  }),
  row('UNMUTE_BOT', { ...at, adminId: 'a1' }, 'MUTE_STATE', 'g1', {
    type: 'MUTE_STATUS',
    ...at,
    adminId: 'a1',
    muted: false,
  }),
  row('HANDOFF', { ...at, reason: 'a price' }, 'CHAT_STATE', '@desk', { ...at, user: 'bot', reason: 'a price' }),
  row('ASSIGN', { ...at, assignee: 'a1' }, 'CHAT_STATE', 'g1', {
    ...{ type: 'ASSIGNED', ...at },
    ...{ assignee: 'a1', reason: 'asked' },
  }),
  row('ASSIGN', { ...at, assignee: null }, 'CHAT_STATE', 'g1', {
    ...{ type: 'ASSIGNED', ...at },
    ...{ assignee: null, reason: 'asked' },
  }),
  same('CLOSE_CHAT', { ...at, ...byAdmin, close: true }, 'CLOSE_CHAT', 'g1'),
  same('SYS_MSG', { ...atDealer, muted: true, unread: 0, message: 'closed' }, 'SYS_MESSAGE', '@dealer'),
  same('UPDATE_CHAT', { ...atDealer, online: true }, 'CHAT_STATE', '@desk'),
  same('UPDATE_GROUP', { ...at, user: 'customer', online: true }, 'CHAT_STATE', '@desk'),
  recorded('UPDATE_USER', { name: 'Ann' }),
  recorded('UPDATE_PAGEVIEW', { url: 'https://a.example/' }),
  recorded('UPDATE_LEAD', { source: 'site' }),
  recorded('CREATE_LEAD_INTENT', { intent: 'buy' }),
  recorded('UPDATE_LEAD_INTENT', { intent: 'buy', status: 'won' }),
  same('TYPING', { ...at, user: 'bot', typing: true }, 'TYPING_STATE'),
];

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.stop());

describe('Redis as other servers know it', { concurrency: true }, () => {
  describe('[P-6, P-10] what other servers say over Redis', { concurrency: true }, () => {
    for (const [name, send] of Object.entries(REDIS_DOORS)) {
      test(`${name} takes each type of section 6, and everybody gets what section 7 makes of it`, () =>
        withPlatform({ redis }, async ({ witness, outside }) => {
          assert.deepEqual([...new Set(ROWS.map(({ sent }) => sent.type))].sort(), typesOfServers());
          for (const [index, { sent, channel, scope, told }] of ROWS.entries()) {
            const id = `k${index}`;
            await send(outside, { ...sent, id });
            const frame = await witness.next((each) => each.channel === channel);
            assert.deepEqual(inVersion1(frame.payload), told);
            assert.deepEqual([frame.id, frame.scope], scope === undefined ? [undefined, undefined] : [id, scope]);
          }
        }));

      test(`${name} stores what it takes once where its id comes again, and makes a new dealer and a new group [P-6.2]`, () =>
        withPlatform({ redis }, async ({ server, outside }) => {
          const everywhere = await server.server('*');
          const event = say('once', { dealerId: 'new', groupId: 'new', id: 'same' });
          await send(outside, event);
          await send(outside, { ...event, message: 'again' });
          await send(outside, { ...event, id: 'other', message: 'last' });
          await everywhere.next(saying('last'));
          const stored = await server.store.events('new', 'new', { limit: 10 });
          assert.deepEqual(
            stored.map(({ id, payload }) => [id, JSON.parse(payload).message]),
            [
              ['same', 'once'],
              ['other', 'last'],
            ],
          );
        }));
    }

    test('an id that came over one door is known at the other', () =>
      withPlatform({ redis }, async ({ server, witness, outside }) => {
        await outside.publish(say('once', { id: 'same' }));
        await witness.next(saying('once'));
        await outside.add(say('twice', { id: 'same' }));
        await outside.removed.first(1);
        assert.equal((await server.store.events(DEALER, 'g1', { limit: 10 })).length, 1);
      }));
  });

  describe('[P-10] telle:events, with two nodes that listen', { concurrency: true }, () => {
    let own: RedisServer;
    before(async () => {
      own = await startRedis();
    });
    after(() => own?.stop());

    test('takes each message once, and the same text as often as it is published', () =>
      withPlatform({ redis: own, count: 2 }, async ({ servers, witnesses, outside }) => {
        const different = Array.from({ length: 20 }, (_, index) => `different ${index}`);
        const texts = ['same', ...different, 'same', 'same'];
        for (const text of texts) assert.equal(await outside.publish(say(text)), 2);
        const all = 2 * texts.length;
        await until('both nodes have heard all', async () => (await outside.scriptsRun()) >= all);
        const stored = async () => (await servers[0]?.store.tails(DEALER, ['g1']))?.get('g1') ?? 0;
        await until('all are taken', async () => (await stored()) >= texts.length);
        await outside.publish(say('last', { groupId: 'g2' }));
        for (const witness of witnesses) {
          await witness.next(({ scope, seq }) => scope === 'g1' && seq === texts.length);
          await witness.next(({ scope }) => scope === 'g2');
          await witness.settled();
          const got = messagesOf(witness).filter((text) => text !== 'last');
          assert.deepEqual(got.toSorted(), texts.toSorted());
        }
        const tails = await servers[0]?.store.tails(DEALER, ['g1', 'g2']);
        assert.deepEqual(tails, new Map(Object.entries({ g1: texts.length, g2: 1 })));
      }));
  });

  test('what a node has heard and counted it stores, though it drains meanwhile', async () => {
    const [asked, allowed] = [gate(), gate()];
    let isHeld = false;
    const stored: string[] = [];
    const wrapStore = (store: Store) =>
      overriding(store, {
        commit: async (needs, work) => {
          if (isHeld) {
            asked.open();
            await allowed.opened;
          }
          return store.commit(needs, (rows) => {
            const changes = work(rows);
            stored.push(...changes.events.flatMap(({ type, payload }) => (type === 'CHAT_MSG' ? [payload] : [])));
            return changes;
          });
        },
      });
    await withPlatform({ redis, wrapStore }, async ({ server, witness, outside }) => {
      await witness.settled();
      isHeld = true;
      const texts = Array.from({ length: 600 }, (_, n) => `event ${n}`);
      await Promise.all(texts.map((text) => outside.publish(say(text))));
      await until('all are counted', async () => (await outside.heardTexts()) === texts.length);
      await asked.opened;
      const closed = server.close();
      allowed.open();
      await closed;
      assert.deepEqual(
        stored.map((payload) => JSON.parse(payload).message),
        texts,
      );
    });
  });

  describe('[P-10] telle:ingress', { concurrency: true }, () => {
    test('is made, with its group, and read from its beginning: what was added before any node started is taken', () =>
      withPlatform(
        {
          redis,
          prepare: async (outside) => {
            for (const text of ['first', 'second']) await outside.add(say(text));
          },
        },
        async ({ server, outside }) => {
          await until('both are taken', async () => (await outside.length()) === 0);
          const stored = await server.store.events(DEALER, 'g1', { limit: 10 });
          assert.deepEqual(
            stored.map(({ payload }) => JSON.parse(payload).message),
            ['first', 'second'],
          );
        },
      ));

    test('acknowledges and removes an entry only after it is committed [P-8.6]', async () => {
      const [asked, allowed] = [gate(), gate()];
      let isHeld = false;
      await withPlatform(
        {
          redis,
          wrapStore: (store) =>
            overriding(store, {
              commit: async (needs, work) => {
                if (isHeld) {
                  asked.open();
                  await allowed.opened;
                }
                return store.commit(needs, work);
              },
            }),
        },
        async ({ server, witness, outside }) => {
          try {
            await witness.settled();
            isHeld = true;
            await outside.add(say('held'));
            await asked.opened;
            assert.deepEqual(await outside.stream(), { length: 1, pending: 1 });
            assert.equal(outside.removed.items.length, 0);
          } finally {
            isHeld = false;
            allowed.open();
          }
          await outside.removed.first(1);
          assert.deepEqual(await outside.stream(), { length: 0, pending: 0 });
          assert.equal((await server.store.events(DEALER, 'g1', { limit: 10 })).length, 1);
        },
      );
    });

    test('tries an entry again while the database is away, and keeps it until then', async () => {
      let failures = 0;
      await withPlatform(
        {
          redis,
          wrapStore: (store) =>
            overriding(store, {
              commit: async (needs, work) => {
                if (failures === 0) return store.commit(needs, work);
                failures -= 1;
                throw new Error('the disk is gone');
              },
            }),
        },
        async ({ server, witness, outside }) => {
          await witness.settled();
          failures = 1;
          await outside.add(say('at last'));
          await witness.next(saying('at last'));
          await outside.removed.first(1);
          assert.deepEqual(await outside.stream(), { length: 0, pending: 0 });
          assert.deepEqual(await server.store.deadLetters('', { limit: 10 }), []);
        },
      );
    });

    test('takes over what another node had read and, being dead, never acknowledged', () =>
      withPlatform(
        {
          redis,
          prepare: async (outside) => {
            await outside.add(say('left behind'));
            await outside.readAndDie('dead');
            assert.deepEqual(await outside.stream(), { length: 1, pending: 1 });
          },
        },
        async ({ server, outside }) => {
          await until('it is taken', async () => (await outside.length()) === 0);
          assert.deepEqual(await outside.stream(), { length: 0, pending: 0 });
          const [stored] = await server.store.events(DEALER, 'g1', { limit: 10 });
          assert.equal(JSON.parse(stored?.payload ?? '{}').message, 'left behind');
        },
      ));

    test('with two nodes that read is taken once, entry by entry', () =>
      withPlatform({ redis, count: 2 }, async ({ servers, outside }) => {
        const texts = Array.from({ length: 50 }, (_, index) => `entry ${index}`);
        await Promise.all(texts.map((text) => outside.add(say(text))));
        await until('all are taken', async () => (await outside.length()) === 0);
        const stored = (await servers[0]?.store.events(DEALER, 'g1', { limit: 100 })) ?? [];
        const got = stored.map(({ payload }) => JSON.parse(payload).message);
        assert.deepEqual(got.toSorted(), texts.toSorted());
      }));
  });

  describe('[P-10] telle:dealer:<dealerId>', { concurrency: true }, () => {
    test('carries every frame of the dealer, and of no other, in the very bytes that its admins get', () =>
      withPlatform({ redis }, async ({ server, witness, outside }) => {
        const customer = await server.customer('g1');
        await witness.next('UPDATE_GROUP');
        await witness.settled();
        await outside.hear(DEALER);
        const from = witness.texts.length;
        await customer.ask('customer_message', { type: 'UPDATE_MSG', message: '"😀" \ud800 \0 \u2028' });
        await customer.ask('typing', { type: 'TYPING', typing: true });
        await outside.publish(say('of another', { dealerId: 'd2' }));
        for (const { sent, channel } of ROWS) {
          const came = witness.next((frame) => frame.channel === channel);
          await outside.publish(sent);
          await came;
        }
        await outside.publish({ type: 'TYPING', ...at, groupId: 'last', typing: true });
        await witness.next(({ payload }) => payload.groupId === 'last');
        const given = witness.texts.slice(from);
        const heard = await outside.heard.first(given.length);
        assert.deepEqual(heard.map(({ text }) => text).toSorted(), given.toSorted());
        assert.equal(outside.heard.items.length, given.length);
      }));
  });
});

/** All types that the table lets another server send. */
function typesOfServers(): string[] {
  const schemas = Object.values(SENDS.server).flat();
  return schemas.map(({ properties }) => properties.type.const).sort();
}
