/** Section 5: who may send what. */
import { check, holds, same } from '../expect.ts';
import type { Case } from '../visit.ts';

const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

export const SENDING: readonly Case[] = [
  {
    clause: '5',
    says: 'a channel of another role is forbidden, one that nobody has unknown_channel',
    async run(visit) {
      const [customer, admin, server] = [await visit.customer(), await visit.admin(), await visit.server()];
      const groupId = customer.session.groupId;
      for (const channel of ['admin_message', 'mute_bot', 'sys_message', 'admin_update', 'chat_state', 'event'])
        await customer.refused('forbidden', channel, say('x'));
      for (const channel of ['customer_message', 'customer_update', 'event'])
        await admin.refused('forbidden', channel, say('x', { groupId }));
      for (const channel of ['customer_message', 'admin_message', 'typing', 'read'])
        await server.refused('forbidden', channel, say('x', { groupId }));
      for (const client of [customer, admin, server])
        for (const channel of ['nobody', 'CHAT_MESSAGE', '__proto__', ''])
          await client.refused('unknown_channel', channel, {});
    },
  },
  {
    clause: '5',
    says: 'a type that the channel does not carry is invalid_payload',
    async run(visit) {
      const customer = await visit.customer();
      for (const type of ['CLOSE_CHAT', 'CHAT_MSG', 'toString', undefined, 7])
        await customer.refused('invalid_payload', 'customer_message', { type, message: 'x' });
    },
  },
  {
    clause: '5',
    says: 'identity fields are filled in where they are absent, and forbidden where they are different',
    async run(visit) {
      const [customer, other, server] = [await visit.customer(), await visit.customer(), await visit.server()];
      const { groupId } = customer.session;
      for (const more of [
        { dealerId: 'another' },
        { groupId: other.session.groupId },
        { user: 'admin' },
        { user: 'bot' },
      ])
        await customer.refused('forbidden', 'customer_message', say('x', more));
      await customer.taken('customer_message', say('filled in'));
      const { payload } = await server.next('CHAT_MSG');
      holds('the event', payload, { dealerId: visit.house.dealer, groupId, user: 'customer' });
      await customer.taken('customer_message', say('x', { dealerId: visit.house.dealer, groupId, user: 'customer' }));
    },
  },
  {
    clause: '5',
    says: 'muted, unread and online are accepted of a client, and not believed',
    async run(visit) {
      const [customer, server] = [await visit.customer(), await visit.server()];
      await customer.taken('customer_message', say('x', { muted: true, unread: 99 }));
      holds('the event', (await server.next('CHAT_MSG')).payload, { muted: false, unread: 1 });
    },
  },
  {
    clause: '5',
    says: "an admin's group that does not exist is unknown_group",
    async run(visit) {
      const admin = await visit.admin();
      const groupId = visit.house.group();
      await admin.refused('unknown_group', 'admin_message', say('x', { groupId }));
      await admin.refused('unknown_group', 'mute_bot', { type: 'MUTE_BOT', groupId });
      await admin.refused('unknown_group', 'close_chat', { type: 'CLOSE_CHAT', groupId });
    },
  },
  {
    clause: '5',
    says: 'details say where a payload breaks its rules, at most five, by JSON pointers into it',
    async run(visit) {
      const customer = await visit.customer();
      const { details } = await customer.refused('invalid_payload', 'customer_message', { type: 'UPDATE_MSG' });
      check(
        Array.isArray(details) && details.length > 0 && details.length <= 5,
        `details are ${JSON.stringify(details)}`,
      );
      same('the first path', Object(details)[0].path, '/message');
      const server = await visit.server();
      const type = 'UPDATE_USER';
      const message = { name: 1, firstName: 1, lastName: 1, email: 1, phone: 1, externalId: 1, locale: 1 };
      const many = await server.refused('invalid_payload', 'event', {
        type,
        groupId: customer.session.groupId,
        message,
      });
      check(Array.isArray(many.details) && many.details.length <= 5, 'details name more than five');
    },
  },
  {
    clause: '5',
    says: 'each type needs its fields',
    async run(visit) {
      const [customer, admin] = [await visit.customer(), await visit.admin()];
      const { groupId } = customer.session;
      for (const [channel, payload] of [
        ['chat_state', { type: 'UPDATE_CHAT', groupId }],
        ['typing', { type: 'TYPING', groupId, typing: 'yes' }],
        ['read', { type: 'READ', groupId, seq: 0 }],
        ['admin_update', { type: 'UPDATE_LEAD', groupId, message: 'no object' }],
        ['admin_update', { type: 'CREATE_LEAD_INTENT', groupId, message: {} }],
        ['sys_message', { type: 'SYS_MSG' }],
      ] as const)
        await admin.refused('invalid_payload', channel, payload);
    },
  },
];
