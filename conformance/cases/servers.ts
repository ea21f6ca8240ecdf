/** Section 6: what other servers may send, on a socket. */
import { holds, same } from '../expect.ts';
import type { Case } from '../visit.ts';

const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

/** An object in so many others. */
const nested = (depth: number): object => (depth === 1 ? {} : { in: nested(depth - 1) });

export const SERVERS: readonly Case[] = [
  {
    clause: '6',
    says: "a payload's id wins over the envelope's, and the ack repeats the envelope's",
    async run(visit) {
      const [server, other] = [await visit.server(), await visit.server()];
      const groupId = visit.house.group();
      const ack = await server.taken('event', say('x', { groupId, user: 'bot', id: 'inner' }), 'outer');
      holds('the ack', ack, { id: 'outer', duplicate: false });
      same('the id of the event', (await other.next('CHAT_MSG')).id, 'inner');
      holds('a repeat', await server.taken('event', say('x', { groupId, user: 'bot', id: 'inner' })), {
        duplicate: true,
        seq: ack.seq,
      });
    },
  },
  {
    clause: '6',
    says: 'the author of a CLOSE_CHAT is its user, else the admin that it names, else the server itself',
    async run(visit) {
      const [server, other] = [await visit.server(), await visit.server()];
      for (const [by, told] of [
        [
          { user: 'customer', adminId: 'alice' },
          { user: 'customer', adminId: undefined },
        ],
        [{ adminId: 'alice' }, { user: 'admin', adminId: 'alice' }],
        [{}, { user: 'server', adminId: undefined }],
      ]) {
        const groupId = visit.house.group();
        await server.taken('event', say('x', { groupId, user: 'customer' }));
        await server.taken('event', { type: 'CLOSE_CHAT', groupId, ...by });
        holds(`by ${JSON.stringify(by)}`, (await other.next('CLOSE_CHAT')).payload, { groupId, close: true, ...told });
      }
    },
  },
  {
    clause: '6',
    says: "READ is not a server's to send, and an admin's message names the admin",
    async run(visit) {
      const server = await visit.server();
      const groupId = visit.house.group();
      await server.taken('event', say('x', { groupId, user: 'bot' }));
      await server.refused('invalid_payload', 'event', {
        type: 'READ',
        groupId,
        user: 'admin',
        adminId: 'alice',
        seq: 1,
      });
      await server.refused('invalid_payload', 'event', say('x', { groupId, user: 'admin' }));
      await server.refused('forbidden', 'event', say('x', { dealerId: 'another', groupId, user: 'bot' }));
    },
  },
  {
    clause: '6.1',
    says: 'a record is an object, or a string that holds one; it is told as an object',
    async run(visit) {
      const [server, other] = [await visit.server(), await visit.server()];
      const groupId = visit.house.group();
      for (const message of [{ name: 'Ada', own: { kept: [1, true, null] } }, JSON.stringify({ name: 'Grace' })]) {
        await server.taken('event', { type: 'UPDATE_USER', groupId, message });
        const { payload, channel, scope } = await other.next('UPDATE_USER');
        same('the channel and scope', [channel, scope], ['CUSTOMER_STATE', '@desk']);
        same('the message', payload.message, typeof message === 'string' ? JSON.parse(message) : message);
      }
    },
  },
  {
    clause: '6.1',
    says: 'a record is nested 5 deep and of 8192 bytes at most',
    async run(visit) {
      const server = await visit.server();
      const [type, groupId] = ['UPDATE_USER', visit.house.group()];
      const sized = (bytes: number) => ({ x: 'x'.repeat(bytes - '{"x":""}'.length) });
      for (const message of [nested(5), sized(8192)]) await server.taken('event', { type, groupId, message });
      for (const message of [nested(6), sized(8193)])
        await server.refused('invalid_payload', 'event', { type, groupId, message });
    },
  },
  {
    clause: '6.1',
    says: 'a merged record of more than 200 fields is too_large',
    async run(visit) {
      const server = await visit.server();
      const [type, groupId] = ['UPDATE_LEAD', visit.house.group()];
      const fields = (from: number, to: number) =>
        Object.fromEntries(Array.from({ length: to - from }, (_, index) => [`f${from + index}`, 1]));
      await server.taken('event', { type, groupId, message: fields(0, 200) });
      await server.refused('too_large', 'event', { type, groupId, message: fields(200, 201) });
      await server.taken('event', { type, groupId, message: { f0: null, f200: 1 } });
    },
  },
  {
    clause: '6.2',
    says: "a trusted server's event makes the group that it names",
    async run(visit) {
      const server = await visit.server();
      const groupId = visit.house.group();
      holds('the ack', await server.taken('event', say('x', { groupId, user: 'bot' })), { scope: groupId, seq: 1 });
      const client = await visit.connect();
      await client.refused('unauthorized', 'client_join', visit.customerJoin({ groupId }));
    },
  },
  {
    clause: '6.4',
    says: 'a well-known field of another kind is invalid_payload, null aside',
    async run(visit) {
      const server = await visit.server();
      const groupId = visit.house.group();
      const lead = (message: object) => ({ type: 'UPDATE_LEAD', groupId, message });
      for (const message of [{ name: 7 }, { vehicle: 'a car' }, { vehicle: { year: true } }, { consent: {} }])
        await server.refused('invalid_payload', 'event', lead(message));
      for (const message of [
        { name: null },
        { vehicle: { year: 2026 } },
        { vehicle: { year: '2026' } },
        { consent: true },
      ])
        await server.taken('event', lead(message));
    },
  },
  {
    clause: '6.5',
    says: 'an intent is created once, and updated by its name: else unknown_intent',
    async run(visit) {
      const [server, other] = [await visit.server(), await visit.server()];
      const groupId = visit.house.group();
      const intent = (type: string, message: object) => ({ type, groupId, message: { intent: 'lease', ...message } });
      await server.taken('event', say('x', { groupId, user: 'bot' }));
      await server.refused('unknown_intent', 'event', intent('UPDATE_LEAD_INTENT', { status: 'won' }));
      for (const type of ['CREATE_LEAD_INTENT', 'CREATE_LEAD_INTENT', 'UPDATE_LEAD_INTENT']) {
        await server.taken('event', intent(type, { notes: type }));
        holds('the event', (await other.next(type)).payload, { message: { intent: 'lease', notes: type } });
      }
    },
  },
  {
    clause: '6.5',
    says: 'a group has at most 50 intents, and those can be updated',
    async run(visit) {
      const server = await visit.server();
      const groupId = visit.house.group();
      const intent = (type: string, index: number) => ({ type, groupId, message: { intent: `intent ${index}` } });
      for (let index = 0; index < 50; index += 1) await server.taken('event', intent('CREATE_LEAD_INTENT', index));
      await server.refused('too_large', 'event', intent('CREATE_LEAD_INTENT', 50));
      await server.taken('event', intent('UPDATE_LEAD_INTENT', 49));
    },
  },
];
