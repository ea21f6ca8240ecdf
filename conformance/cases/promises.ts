/** Section 8: what an ack promises. */
import { newId } from '../client.ts';
import { check, holds, same } from '../expect.ts';
import type { Case } from '../visit.ts';

const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

export const PROMISES: readonly Case[] = [
  {
    clause: '8.1',
    says: 'an ack is {id, scope, seq, at, duplicate}; of what has no seq, {id}',
    async run(visit) {
      const customer = await visit.customer();
      const { groupId } = customer.session;
      const { at, ...ack } = await customer.taken('customer_message', say('x'), 'a1');
      same('the ack', ack, { id: 'a1', scope: groupId, seq: 1, duplicate: false });
      check(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(at)), `"at" is ${JSON.stringify(at)}`);
      same('the ack of READ', await customer.taken('read', { type: 'READ', seq: 1 }, 'r1'), { id: 'r1' });
    },
  },
  {
    clause: '8.1',
    says: 'what was acked is there for whoever joins after',
    async run(visit) {
      const customer = await visit.customer();
      const { groupId, token } = customer.session;
      await customer.taken('customer_message', say('kept'), 'k1');
      customer.close();
      const back = await visit.customer(String(groupId), { token, since: { [String(groupId)]: 0 } });
      const { id, payload } = await back.next('CHAT_MSG');
      same('the event', [id, payload.message], ['k1', 'kept']);
    },
  },
  {
    clause: '8.2',
    says: 'seq is 1, 2, 3, … without gaps, however many send at once, and each reader has one order',
    async run(visit) {
      const { house } = visit;
      const groupId = house.group();
      const servers = [await visit.server(), await visit.server(), await visit.server()];
      await servers[0]?.taken('event', say('first', { groupId, user: 'bot' }));
      const reader = await visit.server();
      const sent = servers.map((server) => {
        const ids = Array.from({ length: 40 }, newId);
        for (const id of ids) server.send('event', say(id, { groupId, user: 'bot' }), id);
        return { server, ids };
      });
      const seqs: number[] = [];
      for (const { server, ids } of sent)
        for (const id of ids) seqs.push(Number((await server.answer(id)).payload.seq));
      same(
        'the acked seqs',
        seqs.sort((one, other) => one - other),
        Array.from({ length: 120 }, (_, index) => index + 2),
      );
      await reader.next(({ scope, seq }) => scope === groupId && seq === 121, 'the last event');
      same(
        'what a reader got',
        reader.events(groupId).map(({ seq }) => seq),
        seqs,
      );
    },
  },
  {
    clause: '8.4',
    says: 'a repeat is acked with the seq of the first and duplicate: true, on any socket, and stored once',
    async run(visit) {
      const customer = await visit.customer();
      const { groupId, token } = customer.session;
      const server = await visit.server();
      const first = await customer.taken('customer_message', say('x'), 'once');
      const other = await visit.customer(String(groupId), { token });
      const repeat = { id: 'once', scope: groupId, seq: first.seq, at: first.at, duplicate: true };
      for (const payload of [say('x'), say('another text')])
        same('the ack of the repeat', await other.taken('customer_message', payload, 'once'), repeat);
      same('the ack of another type', await other.taken('close_chat', { type: 'CLOSE_CHAT' }, 'once'), repeat);
      await other.taken('customer_message', say('next'));
      await server.next(({ payload }) => payload.message === 'next', 'the next event');
      same(
        'the seqs',
        server.events(String(groupId)).map(({ seq }) => seq),
        [1, 2],
      );
    },
  },
  {
    clause: '8.4',
    says: 'another sender may use the same id, and so may a sender in another scope',
    async run(visit) {
      const [customer, server, again] = [await visit.customer(), await visit.server(), await visit.server()];
      const { groupId } = customer.session;
      await customer.taken('customer_message', say('x'), 'same');
      holds('of another sender', await server.taken('event', say('x', { groupId, user: 'bot' }), 'same'), {
        seq: 2,
        duplicate: false,
      });
      const elsewhere = { groupId: visit.house.group(), user: 'bot' };
      holds('in another scope', await again.taken('event', say('x', elsewhere), 'same'), { seq: 1, duplicate: false });
    },
  },
  {
    clause: '8.4',
    says: 'the id of a send that was refused may be tried again',
    async run(visit) {
      const [admin, server] = [await visit.admin(), await visit.server()];
      const groupId = visit.house.group();
      const bot = say('x', { groupId, user: 'bot' });
      await server.taken('event', bot);
      await admin.taken('mute_bot', { type: 'MUTE_BOT', groupId });
      server.send('event', bot, 'again');
      await server.next(({ channel, payload }) => channel === 'error' && payload.id === 'again', 'error');
      await admin.taken('mute_bot', { type: 'UNMUTE_BOT', groupId });
      server.send('event', bot, 'again');
      const { payload } = await server.next(
        ({ channel, payload: { id } }) => channel === 'ack' && id === 'again',
        'ack',
      );
      same('duplicate', payload.duplicate, false);
    },
  },
];
