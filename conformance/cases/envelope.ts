/** Sections 2.3 to 2.7: envelopes, ids and a client's own ping. */
import { randomInt } from 'node:crypto';
import { newId } from '../client.ts';
import { check, holds, same } from '../expect.ts';
import type { Case } from '../visit.ts';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

export const ENVELOPE: readonly Case[] = [
  {
    clause: '2.3',
    says: 'what is no JSON, or no envelope, is bad_frame, and the socket stays open',
    async run(visit) {
      const client = await visit.connect();
      for (const text of [
        '{',
        '[]',
        '"text"',
        '{}',
        '{"channel":"ping"}',
        '{"channel":1,"payload":{}}',
        '{"channel":"ping","payload":[]}',
      ]) {
        client.sendText(text);
        const { payload } = await client.next('error', `bad_frame for ${text}`);
        holds(`the error for ${text}`, payload, { code: 'bad_frame', retryable: false, id: undefined });
      }
      await client.settled();
    },
  },
  {
    clause: '2.3',
    says: 'the error of a bad frame repeats the id where that much could be read',
    async run(visit) {
      const client = await visit.connect();
      client.sendText('{"channel":"ping","id":"readable"}');
      holds('the error', (await client.answer('readable')).payload, { code: 'bad_frame' });
    },
  },
  {
    clause: '2.3',
    says: 'an id is 1 to 64 of A-Z a-z 0-9 . _ : -',
    async run(visit) {
      const client = await visit.connect();
      for (const id of ['', 'x'.repeat(65), 'a b', 'é', 7]) {
        client.sendText(JSON.stringify({ channel: 'ping', payload: {}, id }));
        holds(`the error for id ${JSON.stringify(id)}`, (await client.next('error')).payload, { code: 'bad_frame' });
      }
      for (const id of ['x'.repeat(64), 'aZ09._:-']) await client.taken('ping', {}, id);
    },
  },
  {
    clause: '2.3',
    says: 'a frame without an id is not acked; its error comes without an id',
    async run(visit) {
      const client = await visit.customer();
      client.send('customer_message', say('without'));
      client.send('customer_message', { type: 'UPDATE_MSG' });
      holds('the error', (await client.next('error')).payload, { code: 'invalid_payload', id: undefined });
      await client.taken('customer_message', say('with'), 'with');
      await client.settled();
      const acks = client.frames.filter(({ channel }) => channel === 'ack');
      same(
        'the ids of the acks',
        acks.map(({ payload }) => payload.id),
        ['with'],
      );
    },
  },
  {
    clause: '2.3',
    says: 'a frame with an id has exactly one answer',
    async run(visit) {
      const client = await visit.customer();
      const ids = Array.from({ length: 8 }, newId);
      for (const id of ids) client.send('customer_message', say(id), id);
      client.send('customer_message', {}, 'bad');
      for (const id of [...ids, 'bad']) await client.answer(id);
      await client.settled();
      const answered = client.frames.filter(({ channel }) => ['ack', 'error'].includes(channel));
      same('how many answers', answered.length, ids.length + 1);
    },
  },
  {
    clause: '2.3',
    says: "an event's id is the one that its sender gave, else a UUID; its frame has scope, seq and at",
    async run(visit) {
      const [client, other] = [await visit.customer(), await visit.server()];
      const scope = String(client.session.groupId);
      const ack = await client.taken('customer_message', say('with'), 'its.own_id:1-');
      const event = await other.next(({ id }) => id === 'its.own_id:1-', 'event with the id of its sender');
      same('scope, seq and at', [event.scope, event.seq, event.at], [scope, ack.seq, ack.at]);
      client.send('customer_message', say('without'));
      const { id = '' } = await other.next(({ payload }) => payload.message === 'without', 'event');
      check(UUID.test(id), `the id "${id}" is no UUID`);
    },
  },
  {
    clause: '2.3',
    says: 'the frames of one socket are taken in the order in which they were sent',
    async run(visit) {
      const client = await visit.customer();
      const ids = Array.from({ length: 15 }, newId);
      for (const id of ids) client.send('customer_message', say(id), id);
      const seqs: unknown[] = [];
      for (const id of ids) seqs.push((await client.answer(id)).payload.seq);
      same(
        'their seqs',
        seqs,
        ids.map((_, index) => index + 1),
      );
    },
  },
  {
    clause: '2.4',
    says: 'unknown fields are ignored, and never forwarded',
    async run(visit) {
      const [client, other] = [await visit.customer(), await visit.server()];
      const payload = say('known', { unknown: 'canary', message2: { canary: 1 } });
      client.sendText(JSON.stringify({ channel: 'customer_message', payload, id: 'known', canary: 'canary' }));
      same('the answer', (await client.answer('known')).channel, 'ack');
      await other.next(({ payload }) => payload.message === 'known', 'event');
      for (const { texts } of [client, other])
        check(!texts.some((text) => text.includes('canary')), 'an unknown field was sent on');
    },
  },
  {
    clause: '2.5',
    says: 'a message holds 1 to 4000 characters, each a Unicode code point',
    async run(visit) {
      const [client, other] = [await visit.customer(), await visit.server()];
      const longest = '🚗'.repeat(3999).concat('é');
      await client.taken('customer_message', say(longest)).catch((error: Error) => {
        throw new Error(error.message.slice(0, 200));
      });
      const { payload } = await other.next('CHAT_MSG');
      check(payload.message === longest, 'the text of 4000 characters came otherwise than it was sent');
      for (const text of ['', 'x'.repeat(4001)]) await client.refused('invalid_payload', 'customer_message', say(text));
    },
  },
  {
    clause: '2.6',
    says: 'a client may send ping, before joining too; with an id it gets pong, and then its ack {"id"}',
    async run(visit) {
      const client = await visit.connect();
      await client.settled();
      await client.taken('ping', {}, 'p1');
      same(
        'what came',
        client.texts.map((text) => JSON.parse(text)),
        [
          { channel: 'pong', payload: {} },
          { channel: 'pong', payload: {} },
          { channel: 'ack', payload: { id: 'p1' } },
        ],
      );
    },
  },
  {
    clause: '2.7',
    says: 'an id that is a number is read as its decimal string',
    async run(visit) {
      const number = randomInt(2 ** 40, 2 ** 47);
      const { session } = await visit.customer(visit.house.group(String(number)), { groupId: number });
      same('the groupId', session.groupId, String(number));
    },
  },
  {
    clause: '2.7',
    says: 'what is no id is invalid_payload, and neither is a groupId that begins with @',
    async run(visit) {
      const client = await visit.connect();
      for (const groupId of ['', 'x'.repeat(65), 'a b', 'a/b', -1, 1.5, 2 ** 53, true, '@group'])
        await client.refused('invalid_payload', 'client_join', visit.customerJoin({ groupId }));
    },
  },
  {
    clause: '2.7',
    says: 'upper and lower case differ, and so do leading zeros',
    async run(visit) {
      const number = randomInt(2 ** 40, 2 ** 47);
      for (const name of [`Ab${number}`, `aB${number}`, `${number}`, `0${number}`])
        same('the groupId', (await visit.customer(visit.house.group(name))).session.groupId, name);
    },
  },
];
