/** [P-19.2] The services of 2019 on a real Redis: what they publish is taken once, and what happens is told them once. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import type { DeadLetter } from '../../../src/store/letters.ts';
import { type Beside, withOld as beside, ours, theirs } from '../../support/old-platform.ts';
import { messagesOf, saying } from '../../support/platform.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { ANSWER, GROUP, PAYLOADS, page } from '../../support/telle2019.ts';
import { until } from '../../support/until.ts';

const DEALER = 'd1';
const of = (payload: object) => JSON.parse(JSON.stringify(payload).replaceAll(PAYLOADS.group.dealerId, DEALER));

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.stop());

type Use = (beside: Beside) => Promise<void>;
type More = Partial<Parameters<typeof beside>[0]>;
const withOld = (use: Use, more: More = {}) => beside({ redis, ...more }, use);

const types = (said: readonly Record<string, unknown>[]) => said.map(({ type }) => type);

/** What comes of each payload that is published: events as an admin gets them. */
const COMES: readonly (readonly [name: keyof typeof PAYLOADS, ...events: string[]])[] = [
  ['group', 'UPDATE_GROUP'],
  ['chat', 'UPDATE_GROUP'],
  ['customer', 'CHAT_MSG'],
  ['bot', 'CHAT_MSG'],
  ['mute', 'MUTE_STATUS'],
  ['admin', 'CHAT_MSG'],
  ['unmute', 'MUTE_STATUS'],
  ['user', 'UPDATE_USER'],
  ['visit', 'UPDATE_PAGEVIEW'],
  ['lead', 'UPDATE_LEAD'],
  ['intent', 'UPDATE_LEAD', 'CREATE_LEAD_INTENT'],
  ['contact', 'UPDATE_LEAD', 'CREATE_LEAD_INTENT'],
  ['inquiry', 'UPDATE_LEAD', 'CREATE_LEAD_INTENT'],
  ['appointment', 'UPDATE_LEAD', 'CREATE_LEAD_INTENT'],
  ['notification', 'UPDATE_LEAD'],
  ['close', 'CLOSE_CHAT'],
];

describe('[P-19.2] on the channel of 2019', () => {
  test('each of the sixteen payloads is taken, in order, and nothing of it is published again', () =>
    withOld(async ({ witness, old, server }) => {
      assert.deepEqual(COMES.map(([name]) => name).sort(), Object.keys(PAYLOADS).sort());
      for (const [name] of COMES) await old.publish(of(PAYLOADS[name]));
      await witness.next(({ payload }) => payload.type === 'CLOSE_CHAT');
      const expected = COMES.flatMap(([, ...events]) => events);
      const heard = witness.frames.map(({ payload }) => payload.type).filter((type) => type !== undefined);
      assert.deepEqual(heard.slice(-expected.length), expected);
      assert.deepEqual(messagesOf(witness), ['hi', 'Hello. New or used?\nChoose\nNew\nUsed', 'This is Ann.']);
      const uids = witness.frames.filter(({ channel }) => channel === 'CHAT_MESSAGE').map(({ id }) => id);
      assert.equal(uids[0], '7a1d');
      const [lead] = await server.store.records('leads', DEALER, { limit: 1 });
      assert.deepEqual(lead?.fields, {
        ...{ name: 'Ada', email: 'ada@example.com', phone: '5550100', comments: 'call', department: 'sales' },
        ...{ zipcode: '70000', title: 'BMW X5', price: '38000' },
        vehicle: { vin: 'WBA00000000000001', stock: 'S1' },
      });
      // An admin who comes is Telle's own to tell: it is the first that is told after all that.
      await server.admin('after');
      const [first] = await old.heard.first(1, (said) => said.adminId === 'after');
      assert.equal(first?.type, 'UPDATE_CHAT');
      assert.deepEqual(
        old.heard.items.filter(ours).filter(({ groupId, sid }) => (groupId ?? sid) === GROUP),
        [],
      );
    }));

  test('what happens at Telle is told once, on the channel and in the lists, as they know it', () =>
    withOld(async ({ server, old }) => {
      const customer = await server.customer('c1');
      await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'hi' });
      const [question] = await old.taken.bot.first(1);
      const { timestamp, uid, ...said } = question ?? {};
      assert.deepEqual(said, {
        ...{ type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'c1', user: 'customer', muted: false, unread: 1 },
        ...{ message: page('hi'), via: 'telle' },
      });
      assert.match(String(timestamp), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
      const { payload } = await customer.next('CHAT_MESSAGE');
      assert.deepEqual([payload.user, payload.message], ['bot', 'You said: hi']);
      await customer.ask('customer_update', { type: 'UPDATE_LEAD', message: { name: 'Ada', comments: 'call' } });
      const [lead] = await old.taken.notification.first(1);
      assert.deepEqual(lead, {
        ...{ type: 'UPDATE_LEAD', dealerId: DEALER, groupId: 'c1', via: 'telle' },
        message: { customer: 'Ada', note: 'call', dealerId: DEALER, sessionId: 'c1' },
      });
      await old.taken.daemon.first(1, ({ type }) => type === 'UPDATE_LEAD');
      assert.deepEqual(types(old.taken.daemon.items), [
        ...['UPDATE_GROUP', 'UPDATE_CHAT', 'UPDATE_MSG', 'UPDATE_MSG', 'UPDATE_LEAD'],
      ]);
      await old.heard.first(1, ({ type }) => type === 'UPDATE_NOTIFICATION');
      assert.deepEqual(
        types(old.heard.items.filter(ours)).filter((type) => type !== 'UPDATE_CHAT'),
        [...['UPDATE_GROUP', 'UPDATE_MSG', 'UPDATE_LEAD', 'UPDATE_NOTIFICATION']],
      );
      assert.deepEqual(types(old.heard.items.filter(theirs)), ['UPDATE_MSG']);
      assert.ok(uid);
    }));

  test('however many nodes there are, each event is taken once and told once', () =>
    withOld(
      async ({ servers, witnesses, old }) => {
        const count = 20;
        for (let index = 0; index < count; index += 1) {
          await old.publish(of({ ...PAYLOADS.customer, uid: `u${index}`, message: page(`in ${index}`) }));
          await old.publish(of({ ...PAYLOADS.mute, muted: index % 2 === 0 }));
        }
        for (const [index, server] of servers.entries()) {
          const customer = await server.customer(`c${index}`);
          for (let said = 0; said < count; said += 1)
            await customer.ask('customer_message', { type: 'UPDATE_MSG', message: `out ${index} ${said}` });
        }
        const all = servers.length * count;
        const asked = await old.taken.bot.first(all, ({ type }) => type === 'UPDATE_MSG');
        assert.equal(new Set(asked.map(({ message }) => JSON.stringify(message))).size, all);
        for (const witness of witnesses) {
          // All that the bot has answered, and all that was published.
          await until('all has come', async () => messagesOf(witness).length >= 2 * all + count);
          await witness.settled();
          assert.equal(messagesOf(witness).length, 2 * all + count);
          assert.equal(witness.frames.filter(({ channel }) => channel === 'MUTE_STATE').length, count);
        }
        assert.equal(old.heard.items.filter(ours).filter(({ type }) => type === 'UPDATE_MSG').length, all);
        assert.equal(old.taken.bot.items.length, all);
      },
      { count: 3 },
    ));

  test('what happens while Redis is away is told when it is back, in order and once', () =>
    withOld(async ({ server, old }) => {
      const customer = await server.customer('away');
      await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'before' });
      await old.taken.bot.first(1);
      await old.redis.call('CLIENT', 'PAUSE', '2500', 'ALL');
      for (const message of ['one', 'two', 'three'])
        await customer.ask('customer_message', { type: 'UPDATE_MSG', message });
      const asked = await old.taken.bot.first(4);
      const texts = asked.map(({ message }) => Object(Object(message).data).text);
      assert.deepEqual(texts, ['before', 'one', 'two', 'three']);
    }));

  test('whatever cannot be taken is kept, whole and with the reason, and replayed by the same words', () =>
    withOld(async ({ server, witness, old }) => {
      const operator = server.token('server', 'ops', { dealer: '*' });
      const bad: readonly (readonly [text: string, code: string])[] = [
        ['redis test', 'bad_frame'],
        ['[]', 'bad_frame'],
        ['{"type":"UPDATE_TASK"}', 'invalid_payload'],
        [JSON.stringify({ ...of(PAYLOADS.visit), sid: '', message: {} }), 'invalid_payload'],
        [JSON.stringify(of({ ...PAYLOADS.bot, message: [{ payload: {} }] })), 'invalid_payload'],
        [JSON.stringify(of({ ...PAYLOADS.customer, message: page('x'.repeat(20_000)) })), 'too_large'],
        [JSON.stringify(of({ ...PAYLOADS.bot, groupId: 'muted' })), 'bot_muted'],
      ];
      await old.publish(of({ ...PAYLOADS.mute, groupId: 'muted' }));
      await witness.next('MUTE_STATUS');
      const listed = async (): Promise<DeadLetter[]> =>
        Object((await server.http('GET', '/v1/dead-letters', { token: operator })).body).items;
      for (const [index, [text]] of bad.entries()) {
        await old.publish(text);
        await until('it is kept', async () => (await listed()).length === index + 1);
      }
      assert.deepEqual(
        (await listed()).map(({ source, payload, code }) => [source, payload, code]),
        bad.map(([text, code]) => ['dialect', text, code]),
      );
      const letter = (await listed()).at(-1) ?? assert.fail('no letter');
      await old.publish(of({ ...PAYLOADS.unmute, groupId: 'muted' }));
      await witness.next(({ payload }) => payload.muted === false);
      const replayed = await server.http('POST', `/v1/dead-letters/${letter.deadLetterId}/replay`, { token: operator });
      assert.equal(replayed.status, 200);
      await witness.next(saying('Hello. New or used?\nChoose\nNew\nUsed'));
      assert.deepEqual(
        old.heard.items.filter(ours).filter(({ type }) => type === 'UPDATE_MSG'),
        [],
      );
    }));

  test('a letter that names its group by `sid` goes with that group', () =>
    withOld(async ({ server, witness, old }) => {
      await old.publish(of(PAYLOADS.visit));
      await witness.next('UPDATE_PAGEVIEW');
      await old.publish(of({ ...PAYLOADS.visit, message: { page: 7 } }));
      const letters = async () => (await server.store.deadLetters('', { limit: 10, bytes: 1e6 })).length;
      await until('it is kept', async () => (await letters()) === 1);
      await old.publish(of(PAYLOADS.customer));
      await witness.next(saying('hi'));
      const token = server.token('server', 'ops', { dealer: '*' });
      const erased = await server.http('DELETE', `/v1/dealers/${DEALER}/groups/${GROUP}`, { token });
      assert.equal(erased.status, 200);
      await until('it is gone', async () => (await letters()) === 0);
    }));

  test('a list that nobody takes from does not fill Redis', async () => {
    const list = `${redis.url}:full`;
    const client = new Redis(redis.url);
    try {
      const filling = client.pipeline();
      for (let many = 0; many < 100; many += 1)
        filling.rpush(list, ...Array.from({ length: 1000 }, (_, index) => String(index)));
      await filling.exec();
      await withOld(
        async ({ server, old }) => {
          const customer = await server.customer('full');
          await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'hi' });
          await old.heard.first(1, ({ type }) => type === 'UPDATE_MSG');
          assert.equal(await client.llen(list), 100_000);
          assert.equal(JSON.parse((await client.lindex(list, -1)) ?? '').groupId, 'full');
        },
        { settings: { DIALECT_NOTIFICATION_QUEUE: 'unused', DIALECT_DAEMON_QUEUE: list } },
      );
    } finally {
      client.disconnect();
    }
  });

  test('choices of the bot reach everybody as such, and as text', () =>
    withOld(async ({ witness, old }) => {
      await old.publish(of({ ...PAYLOADS.bot, message: ANSWER }));
      const { payload } = await witness.next('CHAT_MSG');
      assert.equal(payload.message, 'Hello. New or used?\nChoose\nNew\nUsed');
      assert.deepEqual(payload.content, { kind: 'choices', choices: [{ label: 'New' }, { label: 'Used' }] });
    }));
});
