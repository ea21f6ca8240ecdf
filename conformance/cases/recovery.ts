/** Section 3.6: what was missed. */
import { newId } from '../client.ts';
import { check, holds, same } from '../expect.ts';
import { MissingError } from '../house.ts';
import type { Case, Joined, Visit } from '../visit.ts';

const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

/** A customer of whom so many messages are stored, and its server. */
async function spoken(visit: Visit, count: number): Promise<{ groupId: string; customer: Joined; server: Joined }> {
  const [customer, server] = [await visit.customer(), await visit.server()];
  const groupId = String(customer.session.groupId);
  const ids = Array.from({ length: count }, newId);
  for (const id of ids) server.send('event', say(id, { groupId, user: 'bot' }), id);
  for (const id of ids) await server.answer(id);
  return { groupId, customer, server };
}

const again = (visit: Visit, { session }: Joined, since: object) =>
  visit.customer(String(session.groupId), { token: session.token, since });

/** An epoch as good as that one: it may have all the letters that one may have. */
const anotherThan = (epoch: string): string => `${epoch.startsWith('x') ? 'y' : 'x'}${epoch.slice(1)}`;

export const RECOVERY: readonly Case[] = [
  {
    clause: '3.6',
    says: 'since brings every later event, in order, once, and only then live ones',
    async run(visit) {
      const { groupId, customer, server } = await spoken(visit, 20);
      const back = await again(visit, customer, { [groupId]: 5 });
      same('recovered', back.session.recovered, { [groupId]: true });
      await server.taken('event', say('live', { groupId, user: 'bot' }));
      await back.next(({ payload }) => payload.message === 'live', 'the live event');
      same(
        'the seqs',
        back.events(groupId).map(({ seq }) => seq),
        Array.from({ length: 16 }, (_, index) => 6 + index),
      );
    },
  },
  {
    clause: '3.6',
    says: 'no gap and no repeat where events are stored while a client joins',
    async run(visit) {
      const { groupId, customer, server } = await spoken(visit, 1);
      const ids = Array.from({ length: 200 }, newId);
      for (const id of ids) server.send('event', say(id, { groupId, user: 'bot' }), id);
      const back = await again(visit, customer, { [groupId]: 0 });
      for (const id of ids) await server.answer(id);
      await server.taken('event', say('the last', { groupId, user: 'bot' }));
      await back.next(({ payload }) => payload.message === 'the last', 'the last event');
      same('how many came', back.events(groupId).length, 202);
    },
  },
  {
    clause: '21.1',
    says: 'every session says the epoch; with another one beside since, nothing is recovered or sent',
    async run(visit) {
      const { groupId, customer, server } = await spoken(visit, 2);
      const { epoch } = customer.session;
      if (epoch === undefined) throw new MissingError('needs a session with an epoch, which version 1 does not have');
      check(/^[\w-]{6,64}$/.test(String(epoch)), `"epoch" is ${JSON.stringify(epoch)}`);
      same("a server's", server.session.epoch, epoch);
      for (const [said, isRecovered] of [
        [epoch, true],
        [anotherThan(String(epoch)), false],
      ]) {
        const back = await visit.customer(groupId, {
          token: customer.session.token,
          since: { [groupId]: 0 },
          epoch: said,
        });
        holds(`recovered with ${said}`, back.session, { recovered: { [groupId]: isRecovered }, epoch });
        await back.settled();
        same('how many came', back.events(groupId).length, isRecovered ? 2 : 0);
      }
    },
  },
  {
    clause: '3.6',
    says: 'a since beyond the log is not recovered',
    async run(visit) {
      const { groupId, customer } = await spoken(visit, 2);
      const back = await again(visit, customer, { [groupId]: 9, '@dealer': 0 });
      holds('recovered', Object(back.session.recovered), { [groupId]: false });
      await back.settled();
      same('its events', back.events(groupId), []);
    },
  },
  {
    clause: '3.6',
    says: 'more than 500 events are not recovered, 500 are',
    async run(visit) {
      const { groupId, customer } = await spoken(visit, 501);
      for (const [from, isRecovered] of [
        [0, false],
        [1, true],
      ] as const) {
        const back = await again(visit, customer, { [groupId]: from });
        holds(`recovered, from ${from}`, Object(back.session.recovered), { [groupId]: isRecovered });
        await back.settled();
        same('how many came', back.events(groupId).length, isRecovered ? 500 : 0);
      }
    },
  },
  {
    clause: '3.6',
    says: 'a scope that is not named is not replayed',
    async run(visit) {
      const { groupId, customer } = await spoken(visit, 2);
      const back = await again(visit, customer, { '@dealer': 0 });
      await back.settled();
      same('its events', back.events(groupId), []);
    },
  },
  {
    clause: '3.6',
    says: 'a customer may name @desk, and gets nothing of it; any other scope is forbidden',
    async run(visit) {
      const { groupId, customer } = await spoken(visit, 1);
      const back = await again(visit, customer, { [groupId]: 0, '@desk': 0 });
      same('recovered', back.session.recovered, { [groupId]: true, '@desk': false });
      await back.settled();
      same('the events of @desk', back.events('@desk'), []);
      const client = await visit.connect();
      const { token } = customer.session;
      await client.refused('forbidden', 'client_join', visit.customerJoin({ token, since: { other: 0 } }));
    },
  },
  {
    clause: '3.6',
    says: 'more than 100 scopes are invalid_payload, and so is a scope for a server of "*"',
    async run(visit) {
      const client = await visit.connect();
      const since = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`g${index}`, 0]));
      const token = visit.house.serverToken();
      await client.refused('invalid_payload', 'server_join', visit.serverJoin({ token, since }));
      const master = visit.house.token('server', 'conformance', { dealer: '*' });
      const join = visit.serverJoin({ dealerId: '*', token: master, since: { '@desk': 0 } });
      await client.refused('invalid_payload', 'server_join', join);
      await client.taken('server_join', visit.serverJoin({ token }));
    },
  },
  {
    clause: '3.6',
    says: 'a group that does not exist has no events: 0 is recovered, anything greater is not',
    async run(visit) {
      for (const from of [0, 1]) {
        const groupId = visit.house.group();
        const { session } = await visit.customer(groupId, { since: { [groupId]: from } });
        same('recovered', session.recovered, { [groupId]: from === 0 });
      }
    },
  },
];
