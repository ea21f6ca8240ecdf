/** Section 9: errors, the rate and close codes. */
import { newId } from '../client.ts';
import { check, same } from '../expect.ts';
import type { Case } from '../visit.ts';

const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

export const ERRORS: readonly Case[] = [
  {
    clause: '9',
    says: '20 frames that are refused as bad_frame, unknown_channel or invalid_payload close with 4400',
    async run(visit) {
      const client = await visit.connect();
      for (let count = 0; count < 19; count += 1) client.sendText('{');
      await client.settled();
      client.sendText('{');
      same('the close code', await client.closed(), 4400);
      same('how many errors came', client.frames.filter(({ channel }) => channel === 'error').length, 20);
    },
  },
  {
    clause: '9',
    says: 'a socket may send 20 frames at once: what is more is rate_limited, and may be sent again',
    async run(visit) {
      const customer = await visit.customer();
      const ids = Array.from({ length: 60 }, newId);
      for (const id of ids) customer.send('typing', { type: 'TYPING', typing: true }, id);
      const codes: unknown[] = [];
      for (const id of ids) codes.push((await customer.answer(id)).payload.code ?? 'ack');
      same('the first 20', codes.slice(0, 20), Array(20).fill('ack'));
      check(codes.includes('rate_limited'), 'none of 60 was rate_limited');
    },
  },
  {
    clause: '9',
    says: '100 frames refused as rate_limited within 10 s close with 4429',
    async run(visit) {
      const customer = await visit.customer();
      for (let count = 0; count < 400; count += 1) customer.send('ping', {});
      same('the close code', await customer.closed(), 4429);
    },
  },
  {
    clause: '9',
    says: 'servers that have joined are exempt from the rate',
    async run(visit) {
      const server = await visit.server();
      for (let count = 0; count < 200; count += 1) server.send('ping', {});
      await server.settled();
      check(!server.frames.some(({ channel }) => channel === 'error'), 'one was refused');
    },
  },
  {
    clause: '9',
    says: 'a dealer that there is not is unknown_dealer, and closed with 4404',
    async run(visit) {
      const client = await visit.connect();
      await client.refused('unknown_dealer', 'client_join', visit.customerJoin({ dealerId: `none-${Date.now()}` }));
      same('the close code', await client.closed(), 4404);
    },
  },
  {
    clause: '9',
    says: 'an erased conversation is told as ERASE_GROUP, and its sockets are closed with 4403',
    async run(visit) {
      const customer = await visit.customer();
      const groupId = String(customer.session.groupId);
      await customer.taken('customer_message', say('x'));
      const server = await visit.server();
      same('the status of DELETE', await visit.house.erase(groupId), 200);
      same('the close code', await customer.closed(), 4403);
      const { channel, payload } = await server.next('ERASE_GROUP');
      same('its channel', channel, 'CHAT_STATE');
      same('the payload', payload, {
        type: 'ERASE_GROUP',
        dealerId: visit.house.dealer,
        groupId,
        user: 'customer',
        online: false,
      });
    },
  },
  {
    clause: '9',
    says: 'the sockets of a dealer that is removed are closed with 4404',
    async run(visit) {
      const { house } = visit;
      const dealerId = await house.makeDealer(`gone-${house.group()}`);
      const client = await visit.connect();
      await client.taken('client_join', visit.customerJoin({ dealerId }));
      await house.removeDealer(dealerId);
      same('the close code', await client.closed(), 4404);
    },
  },
];
