/** [P-10, P-18.1] Choices, cards and vehicles that a bot says over Redis. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { REDIS_DOORS } from '../support/outside.ts';
import { saying, withPlatform } from '../support/platform.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER } from '../support/server.ts';
import { until } from '../support/until.ts';

const says = (message: string, content: unknown) => ({
  ...{ type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'g1', user: 'bot', message, content },
});

const CONTENTS = {
  choices: { kind: 'choices', choices: [{ label: 'New', value: 'new' }, { label: 'Used' }] },
  cards: {
    kind: 'cards',
    cards: [{ title: 'Blue', subtitle: 'one owner', image: 'https://a.example/b.jpg', choices: [{ label: 'Yes' }] }],
  },
  vehicle: { kind: 'vehicle', vehicle: { year: 2023, make: 'Toyota' }, price: '$18,700', url: 'https://a.example/b' },
} as const;

const INVALID: Readonly<Record<string, unknown>> = {
  text: 'text',
  'of another kind': { kind: 'html', html: '<b>' },
  'without a choice': { kind: 'choices', choices: [] },
  'with a picture that is not encrypted': {
    kind: 'cards',
    cards: [{ title: 'Blue', image: 'http://a.example/b.jpg' }],
  },
  'that runs something': { kind: 'cards', cards: [{ title: 'Blue', url: 'javascript:alert(1)' }] },
  'with too many choices': { kind: 'choices', choices: Array.from({ length: 21 }, () => ({ label: 'Yes' })) },
};

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.stop());

for (const [name, send] of Object.entries(REDIS_DOORS)) {
  describe(`[P-18.1] content of a bot over ${name}`, () => {
    test('reaches the customer and the desk, and is in the log', () =>
      withPlatform({ redis }, async ({ server, witness, outside }) => {
        const customer = await server.customer('g1');
        for (const [kind, content] of Object.entries(CONTENTS)) {
          await send(outside, says(`some ${kind}`, content));
          for (const each of [customer, witness]) {
            const { payload } = await each.next(saying(`some ${kind}`));
            assert.deepEqual(payload.content, content);
          }
        }
        const stored = await server.store.events(DEALER, 'g1', { limit: 10 });
        assert.deepEqual(
          stored.map(({ payload }) => JSON.parse(payload).content),
          Object.values(CONTENTS),
        );
      }));

    test('that is none is refused: nobody is told, and it is kept with the reason', () =>
      withPlatform({ redis }, async ({ server, witness, outside }) => {
        const letters = () => server.store.deadLetters('', { limit: 20, bytes: 1e6 });
        for (const [what, content] of Object.entries(INVALID)) {
          const count = (await letters()).length + 1;
          await send(outside, says(what, content));
          await until(`content ${what} is refused`, async () => (await letters()).length === count);
        }
        assert.deepEqual(
          (await letters()).map(({ code, payload }) => [JSON.parse(payload).message, code]).sort(),
          Object.keys(INVALID)
            .map((what) => [what, 'invalid_payload'])
            .sort(),
        );
        await send(outside, says('the last', CONTENTS.choices));
        await witness.next(saying('the last'));
        const stored = await server.store.events(DEALER, 'g1', { limit: 10 });
        assert.deepEqual(
          stored.map(({ payload }) => JSON.parse(payload).message),
          ['the last'],
        );
      }));
  });
}
