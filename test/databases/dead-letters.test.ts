/** [P-6.3, P-11.5] What comes over Redis and is refused is kept, whole and with the reason, and can be taken later. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DeadLetter } from '../../src/store/letters.ts';
import { overriding } from '../support/faulty-store.ts';
import { type Platform, saying, withPlatform } from '../support/platform.ts';
import { assertProblem } from '../support/problem.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER } from '../support/server.ts';
import { Inbox, until } from '../support/until.ts';

const at = { dealerId: DEALER, groupId: 'g1' };
const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', ...at, user: 'customer', message, ...more });

/** What is no event: its text, its code, and the path of what is wrong where there is one. */
const BAD: readonly (readonly [what: string, text: string, code: string, path?: string])[] = [
  ['malformed JSON', '{"type":"UPDATE_MSG"', 'bad_frame'],
  ['nothing', '', 'bad_frame'],
  ['text with U+0000', `{"type":"UPDATE_MSG","message":"\0 \ud83d\ude00 'quoted' \\u0000"}`, 'bad_frame'],
  ['an array', '[{"type":"UPDATE_MSG"}]', 'bad_frame'],
  ['a string', '"UPDATE_MSG"', 'bad_frame'],
  ['null', 'null', 'bad_frame'],
  ['an unknown type', JSON.stringify({ ...say('x'), type: 'UPDATE_ALL' }), 'invalid_payload', '/type'],
  ['a type that only clients send', JSON.stringify({ ...at, type: 'READ', seq: 1 }), 'invalid_payload', '/type'],
  ['no type', JSON.stringify(at), 'invalid_payload', '/type'],
  ['a missing field', JSON.stringify({ ...say('x'), message: undefined }), 'invalid_payload', '/message'],
  ['no dealer', JSON.stringify({ ...say('x'), dealerId: undefined }), 'invalid_payload', '/dealerId'],
  ['a group named with U+0000', JSON.stringify({ ...say('x'), groupId: '\0' }), 'invalid_payload', '/groupId'],
  ['an id that is none', JSON.stringify({ ...say('x'), id: 'a b' }), 'invalid_payload', '/id'],
  ['what is too large', JSON.stringify(say('é'.repeat(9000))), 'too_large'],
  [
    'an intent that is not there',
    JSON.stringify({ type: 'UPDATE_LEAD_INTENT', ...at, message: { intent: 'buy' } }),
    'unknown_intent',
  ],
];

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.stop());

type Use = (platform: Platform & { operator: string; buried: Inbox<DeadLetter> }) => Promise<void>;

/** A platform, the token of its operator, and the letters as they are buried. */
const withLetters = (use: Use) => async () => {
  const buried = new Inbox<DeadLetter>();
  await withPlatform(
    {
      redis,
      wrapStore: (store) =>
        overriding(store, {
          bury: async (letters) => {
            await store.bury(letters);
            for (const letter of letters) buried.put(letter);
          },
        }),
    },
    async (platform) => {
      const operator = await platform.server.token('server', 'ops', { dealer: '*' });
      await use({ ...platform, operator, buried });
    },
  );
};

/** The letters as HTTP tells them. */
const listed = async ({ server }: Platform, token: string, query = '') => {
  const { status, body } = await server.http('GET', `/v1/dead-letters${query}`, { token });
  assert.equal(status, 200);
  return body;
};

/** A letter of a bot's that was muted, and its id. */
async function muted({ outside, witness, buried }: Parameters<Use>[0], text = 'from the bot') {
  await outside.publish({ type: 'MUTE_BOT', ...at, adminId: 'a1' });
  await witness.next('MUTE_STATUS');
  const before = buried.items.length;
  await outside.publish(say(text, { user: 'bot' }));
  const letter = (await buried.first(before + 1)).at(-1) ?? assert.fail('no letter');
  return { letter, replay: `/v1/dead-letters/${letter.deadLetterId}/replay` };
}

describe('dead letters', { concurrency: true }, () => {
  describe('[P-6.3] what is refused over Redis', { concurrency: true }, () => {
    for (const source of ['events', 'ingress'] as const) {
      test(
        `on telle:${source} is a dead letter each, whole, with its code and what is wrong`,
        withLetters(async ({ server, operator, witness, outside, buried, ...platform }) => {
          for (const [index, [, text]] of BAD.entries()) {
            if (source === 'events') await outside.publish(text);
            else await outside.add(text);
            await buried.first(index + 1);
          }
          const { items, next } = await listed({ server, witness, outside, ...platform }, operator);
          assert.equal(next, null);
          assert.equal(items.length, BAD.length);
          for (const [what, text, expected, path] of BAD) {
            const letter = items.find(({ payload }: DeadLetter) => payload === text);
            assert.ok(letter, what);
            const { source: from, code, message, details, at: when } = letter;
            const paths = details.map((detail: { path: string }) => detail.path);
            assert.deepEqual({ from, code, paths }, { from: source, code: expected, paths: path ? [path] : [] }, what);
            assert.ok(message.length > 0 && Date.now() - Date.parse(when) < 60_000, what);
          }
          assert.ok(witness.frames.every(({ channel }) => channel === 'session' || channel === 'CHAT_STATE'));
        }),
      );
    }

    test(
      'goes out of the stream, and does not hold up what comes behind it',
      withLetters(async ({ witness, outside, buried }) => {
        await outside.add('no JSON');
        await outside.add(say('good'));
        await witness.next(saying('good'));
        await buried.first(1);
        await until('both are removed', async () => (await outside.length()) === 0);
        assert.deepEqual(await outside.stream(), { length: 0, pending: 0 });
      }),
    );

    test(
      'is kept with all its fields where an entry has no `event`',
      withLetters(async ({ outside, buried }) => {
        await outside.addFields('type', 'UPDATE_MSG', 'message', 'as fields "😀"');
        const [letter] = await buried.first(1);
        assert.equal(letter?.code, 'bad_frame');
        for (const word of ['type', 'UPDATE_MSG', 'message', 'as fields'])
          assert.ok(letter.payload.includes(word), word);
        await outside.removed.first(1);
        assert.equal(await outside.length(), 0);
      }),
    );

    test('is taken and not kept while the database cannot keep it, until it can', async () => {
      let failures = 1;
      const buried = new Inbox<DeadLetter>();
      await withPlatform(
        {
          redis,
          wrapStore: (store) =>
            overriding(store, {
              bury: async (letters) => {
                failures -= 1;
                if (failures === 0) throw new Error('the disk is full');
                await store.bury(letters);
                for (const letter of letters) buried.put(letter);
              },
            }),
        },
        async ({ outside }) => {
          await outside.add('no JSON');
          const [letter] = await buried.first(1);
          assert.deepEqual([letter?.payload, letter?.code], ['no JSON', 'bad_frame']);
        },
      );
    });

    test('is one of many that came at once: they are kept some at a time, in their order, beside what is good', async () => {
      const sizes: number[] = [];
      await withPlatform(
        {
          redis,
          wrapStore: (store) =>
            overriding(store, {
              bury: async (letters) => {
                sizes.push(letters.length);
                await store.bury(letters);
              },
            }),
        },
        async ({ server, outside }) => {
          const texts = Array.from({ length: 200 }, (_, n) => (n % 2 ? JSON.stringify(say(`${n}`)) : `no JSON ${n}`));
          await outside.addAll(texts);
          await until('the stream is empty', async () => (await outside.length()) === 0);
          assert.deepEqual(sizes, [64, 36]);
          const kept = await server.store.deadLetters('', { limit: 200 });
          assert.deepEqual(
            kept.map(({ payload }) => payload),
            texts.filter((_, n) => n % 2 === 0),
          );
          assert.deepEqual(await server.store.tails(DEALER, ['g1']), new Map([['g1', 100]]));
        },
      );
    });

    test('holds up nothing that is good while it cannot be kept', async () => {
      const isFull = { value: true };
      await withPlatform(
        {
          redis,
          wrapStore: (store) =>
            overriding(store, {
              bury: async (letters) => {
                if (isFull.value) throw new Error('the disk is full');
                await store.bury(letters);
              },
            }),
        },
        async ({ server, witness, outside }) => {
          await outside.addAll(['no JSON', JSON.stringify(say('good')), 'nor this']);
          await witness.next(saying('good'));
          await outside.removed.first(1);
          assert.deepEqual(await outside.stream(), { length: 2, pending: 2 });
          isFull.value = false;
          await until('the stream is empty', async () => (await outside.length()) === 0);
          const kept = await server.store.deadLetters('', { limit: 10 });
          assert.deepEqual(
            kept.map(({ payload }) => payload),
            ['no JSON', 'nor this'],
          );
          assert.deepEqual(await server.store.tails(DEALER, ['g1']), new Map([['g1', 1]]));
        },
      );
    });
  });

  describe('[P-11.5] dead letters over HTTP', { concurrency: true }, () => {
    test(
      'are for a server of all dealers: to others 401 or 403, and nothing of them is told',
      withLetters(async (platform) => {
        const { server } = platform;
        const { letter, replay } = await muted(platform);
        const tokens = {
          admin: await server.token('admin', 'a1'),
          customer: await server.token('customer', 'g1'),
          serverOfOne: await server.token('server', 'crm'),
        };
        for (const [method, url] of [
          ['GET', '/v1/dead-letters'],
          ['POST', replay],
        ] as const) {
          const { detail } = assertProblem(await server.http(method, url), 401, 'unauthorized');
          assert.ok(!detail.includes(letter.payload));
          assertProblem(await server.http(method, url, { token: 'none' }), 401, 'unauthorized');
          for (const token of Object.values(tokens)) {
            assertProblem(await server.http(method, url, { token }), 403, 'forbidden');
          }
        }
        assert.deepEqual(await server.store.deadLetters('', { limit: 10 }), [letter]);
      }),
    );

    test(
      'are paged, each once',
      withLetters(async (platform) => {
        const { outside, operator, buried } = platform;
        const texts = ['one', 'two', 'three', 'four', 'five'];
        for (const [index, text] of texts.entries()) {
          await outside.publish(text);
          await buried.first(index + 1);
        }
        const got: string[] = [];
        let query = '?limit=2';
        for (let page = 1; page <= 3; page += 1) {
          const { items, next } = await listed(platform, operator, query);
          assert.equal(items.length, page === 3 ? 1 : 2);
          assert.equal(next === null, page === 3);
          got.push(...items.map(({ payload }: DeadLetter) => payload));
          query = `?limit=2&cursor=${next}`;
        }
        assert.deepEqual(got.toSorted(), texts.toSorted());
      }),
    );

    test(
      'say bot_muted of a bot that was silenced, and are taken by a replay once it no longer is, and then gone',
      withLetters(async (platform) => {
        const { server, outside, witness, operator } = platform;
        const { letter, replay } = await muted(platform);
        assert.equal(letter.code, 'bot_muted');
        assertProblem(await server.http('POST', replay, { token: operator }), 409, 'bot_muted');
        const listedLetter = { ...letter, at: new Date(letter.at).toISOString() };
        assert.deepEqual((await listed(platform, operator)).items, [listedLetter]);

        await outside.publish({ type: 'UNMUTE_BOT', ...at, adminId: 'a1' });
        await witness.next('MUTE_STATUS');
        const { status, body } = await server.http('POST', replay, { token: operator });
        const frame = await witness.next(saying('from the bot'));
        assert.deepEqual(
          { status, ...body },
          { status: 200, id: frame.id, scope: 'g1', seq: frame.seq, at: frame.at, duplicate: false },
        );
        assert.deepEqual((await listed(platform, operator)).items, []);
        assertProblem(await server.http('POST', replay, { token: operator }), 404, 'unknown_route');
      }),
    );

    test(
      'are stored once by two replays where the event has an id',
      withLetters(async (platform) => {
        const { server, outside, witness, operator, buried } = platform;
        const { replay } = await muted(platform, 'unnamed');
        await outside.publish(say('named', { user: 'bot', id: 'k1' }));
        const named = (await buried.first(2)).at(-1)?.deadLetterId;
        await outside.publish({ type: 'UNMUTE_BOT', ...at, adminId: 'a1' });
        await witness.next('MUTE_STATUS');
        await outside.publish(say('named', { user: 'bot', id: 'k1' }));
        const { seq } = await witness.next(saying('named'));
        const { body } = await server.http('POST', `/v1/dead-letters/${named}/replay`, { token: operator });
        assert.deepEqual([body.id, body.seq, body.duplicate], ['k1', seq, true]);
        assert.equal((await server.http('POST', replay, { token: operator })).status, 200);
        assert.deepEqual((await listed(platform, operator)).items, []);
      }),
    );

    test(
      'that there are not are 404, and what is not even JSON is refused again and kept',
      withLetters(async (platform) => {
        const { server, outside, operator, buried } = platform;
        for (const id of ['never-was', '0']) {
          const response = await server.http('POST', `/v1/dead-letters/${id}/replay`, { token: operator });
          assertProblem(response, 404, 'unknown_route');
        }
        await outside.publish('no JSON');
        const [letter] = await buried.first(1);
        const replay = `/v1/dead-letters/${letter?.deadLetterId}/replay`;
        assertProblem(await server.http('POST', replay, { token: operator }), 400, 'bad_frame');
        assert.deepEqual(await server.store.deadLetters('', { limit: 10 }), [letter]);
      }),
    );
  });
});
