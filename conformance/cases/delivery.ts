/** Section 7: what is delivered, to whom, and what it says. */
import { check, holds, same } from '../expect.ts';
import type { Frame } from '../frame.ts';
import type { Case, Joined, Visit } from '../visit.ts';

const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

/** A customer, its admin and a server of the dealer. */
async function room(visit: Visit): Promise<{ customer: Joined; admin: Joined; server: Joined; groupId: string }> {
  const [customer, admin, server] = [await visit.customer(), await visit.admin(), await visit.server()];
  return { customer, admin, server, groupId: String(customer.session.groupId) };
}

/** The next frame of a type that names a group. */
const of = (client: Joined, type: string, groupId: unknown): Promise<Frame> =>
  client.next(({ payload }) => payload.type === type && payload.groupId === groupId, `${type} of the group`);

/** Payloads that a server sends, and what is told of each: type, channel, and whether in the group's own scope. */
const TABLE = [
  [say('x', { user: 'bot' }), 'CHAT_MSG', 'CHAT_MESSAGE', true],
  [{ type: 'MUTE_BOT', adminId: 'alice' }, 'MUTE_STATUS', 'MUTE_STATE', true],
  [{ type: 'UNMUTE_BOT', adminId: 'alice' }, 'MUTE_STATUS', 'MUTE_STATE', true],
  [{ type: 'CLOSE_CHAT', adminId: 'alice' }, 'CLOSE_CHAT', 'CLOSE_CHAT', true],
  [{ type: 'UPDATE_CHAT', user: 'admin', adminId: 'alice', online: true }, 'UPDATE_CHAT', 'CHAT_STATE', true],
  [{ type: 'UPDATE_GROUP', online: true }, 'UPDATE_GROUP', 'CHAT_STATE', false],
  [{ type: 'UPDATE_USER', message: { name: 'Ada' } }, 'UPDATE_USER', 'CUSTOMER_STATE', false],
  [{ type: 'UPDATE_PAGEVIEW', message: { url: 'x' } }, 'UPDATE_PAGEVIEW', 'CUSTOMER_STATE', false],
  [{ type: 'UPDATE_LEAD', message: { status: 'new' } }, 'UPDATE_LEAD', 'CUSTOMER_STATE', false],
  [{ type: 'CREATE_LEAD_INTENT', message: { intent: 'buy' } }, 'CREATE_LEAD_INTENT', 'CUSTOMER_STATE', false],
  [{ type: 'UPDATE_LEAD_INTENT', message: { intent: 'buy' } }, 'UPDATE_LEAD_INTENT', 'CUSTOMER_STATE', false],
] as const;

export const DELIVERY: readonly Case[] = [
  {
    clause: '7',
    says: 'each accepted type is told on its channel, in its scope, to those who may see it',
    async run(visit) {
      const { customer, admin, server, groupId } = await room(visit);
      for (const [sent, type, channel, isOwn] of TABLE) {
        const ack = await server.taken('event', { ...sent, groupId });
        const frame = await admin.next(({ scope, seq }) => scope === ack.scope && seq === ack.seq, type);
        const scope = isOwn ? groupId : '@desk';
        same(`what is told of ${sent.type}`, [frame.payload.type, frame.channel, frame.scope], [type, channel, scope]);
        holds('its group', frame.payload, { dealerId: visit.house.dealer, groupId });
      }
      await customer.settled();
      const told = customer.frames
        .filter(({ payload }) => payload.groupId === groupId)
        .map(({ payload }) => payload.type);
      same(
        'what its customer was told',
        told.slice(1),
        TABLE.filter(([, , , isOwn]) => isOwn).map(([, type]) => type),
      );
    },
  },
  {
    clause: '7',
    says: 'every receiver gets the same bytes',
    async run(visit) {
      const { customer, admin, server, groupId } = await room(visit);
      const { seq } = await server.taken('event', say('🚗 "x"', { groupId, user: 'bot' }));
      const texts: unknown[] = [];
      for (const client of [customer, admin]) {
        await client.next((frame) => frame.scope === groupId && frame.seq === seq, 'event');
        texts.push(
          client.texts.find((text) => text.includes(`"scope":"${groupId}"`) && text.includes(`"seq":${seq},`)),
        );
      }
      check(texts[0] !== undefined && texts[0] === texts[1], `${texts[0]} is not ${texts[1]}`);
    },
  },
  {
    clause: '7',
    says: "the sender's own socket gets the ack in place of the event, and the event where it gave no id",
    async run(visit) {
      const customer = await visit.customer();
      const scope = String(customer.session.groupId);
      await customer.taken('customer_message', say('with'));
      customer.send('customer_message', say('without'));
      await customer.next(({ payload }) => payload.message === 'without', 'event that was sent without an id');
      same(
        'its events',
        customer.events(scope).map(({ payload }) => payload.message),
        ['without'],
      );
    },
  },
  {
    clause: '7',
    says: 'a customer is told nothing of another group, and of @desk nothing',
    async run(visit) {
      const [customer, other, server] = [await visit.customer(), await visit.customer(), await visit.server()];
      const { groupId } = customer.session;
      await server.taken('event', say('private', { groupId, user: 'bot' }));
      await server.taken('event', { type: 'TYPING', groupId, typing: true });
      await server.taken('event', { type: 'UPDATE_USER', groupId, message: { name: 'Ada' } });
      for (const client of [customer, other]) await client.settled();
      check(!other.texts.some((text) => text.includes(String(groupId))), 'it was told of another group');
      same('the events of @desk', customer.events('@desk'), []);
    },
  },
  {
    clause: '7',
    says: 'SYS_MSG goes to everybody of the dealer, in @dealer',
    async run(visit) {
      const { customer, admin, server } = await room(visit);
      const message = `to everybody ${customer.session.groupId}`;
      const ack = await admin.taken('sys_message', { type: 'SYS_MSG', message });
      same('the scope of the ack', ack.scope, '@dealer');
      for (const client of [customer, server]) {
        const { channel, scope, payload } = await client.next((frame) => frame.payload.message === message, 'SYS_MSG');
        same('its channel and scope', [channel, scope], ['SYS_MESSAGE', '@dealer']);
        const { adminId } = admin.session;
        same('[7.2] the payload', payload, {
          type: 'SYS_MSG',
          dealerId: visit.house.dealer,
          adminId,
          user: 'admin',
          muted: true,
          unread: 0,
          message,
        });
      }
    },
  },
  {
    clause: '7',
    says: "TYPING is passed on to the group's receivers, is not stored, and never comes back to its socket",
    async run(visit) {
      const { customer, admin, groupId } = await room(visit);
      const own = await visit.customer(groupId, { token: customer.session.token });
      same('the ack', await customer.taken('typing', { type: 'TYPING', groupId, typing: true }, 't1'), { id: 't1' });
      for (const client of [admin, own]) {
        const { channel, seq, payload } = await of(client, 'TYPING', groupId);
        same('its channel and seq', [channel, seq], ['TYPING_STATE', undefined]);
        same('the payload', payload, {
          type: 'TYPING',
          dealerId: visit.house.dealer,
          groupId,
          user: 'customer',
          typing: true,
        });
      }
      await customer.settled();
      check(!customer.frames.some(({ channel }) => channel === 'TYPING_STATE'), 'it came back');
    },
  },
  {
    clause: '7.2',
    says: 'READ says how far a side has read; beyond the log it is invalid_payload',
    async run(visit) {
      const { customer, admin, groupId } = await room(visit);
      const { seq } = await customer.taken('customer_message', say('x'));
      await admin.taken('read', { type: 'READ', groupId, seq });
      const { channel, payload } = await of(customer, 'READ', groupId);
      same('its channel', channel, 'READ_STATE');
      same('the payload', payload, {
        type: 'READ',
        dealerId: visit.house.dealer,
        groupId,
        adminId: admin.session.adminId,
        user: 'admin',
        seq,
      });
      await admin.refused('invalid_payload', 'read', { type: 'READ', groupId, seq: Number(seq) + 1 });
    },
  },
  {
    clause: '7.1',
    says: "unread counts the customer's messages that no admin has read; an admin's message or READ sets it to 0",
    async run(visit) {
      const { customer, admin, server, groupId } = await room(visit);
      const unread: unknown[] = [];
      const told = async () => unread.push((await of(server, 'CHAT_MSG', groupId)).payload.unread);
      for (const text of ['one', 'two']) {
        await customer.taken('customer_message', say(text));
        await told();
      }
      await admin.taken('read', { type: 'READ', groupId, seq: 1 });
      await customer.taken('customer_message', say('three'));
      await told();
      await admin.taken('admin_message', say('answer', { groupId }));
      await told();
      await customer.taken('read', { type: 'READ', groupId, seq: 1 });
      await customer.taken('customer_message', say('four'));
      await told();
      same('unread', unread, [1, 2, 1, 0, 1]);
    },
  },
  {
    clause: '7.2',
    says: 'MUTE_STATUS, CLOSE_CHAT and UPDATE_CHAT are as they are written',
    async run(visit) {
      const { customer, admin, groupId } = await room(visit);
      const { adminId } = admin.session;
      const own = { dealerId: visit.house.dealer, groupId, adminId };
      for (const [channel, type, more, told] of [
        ['mute_bot', 'MUTE_BOT', {}, { type: 'MUTE_STATUS', ...own, muted: true }],
        ['mute_bot', 'UNMUTE_BOT', {}, { type: 'MUTE_STATUS', ...own, muted: false }],
        ['chat_state', 'UPDATE_CHAT', { online: true }, { type: 'UPDATE_CHAT', ...own, user: 'admin', online: true }],
        ['close_chat', 'CLOSE_CHAT', {}, { type: 'CLOSE_CHAT', ...own, user: 'admin', close: true }],
      ] as const) {
        await admin.taken(channel, { type, groupId, ...more });
        holds(`what is told of ${type}`, (await of(customer, told.type, groupId)).payload, told);
      }
    },
  },
  {
    clause: '7.3',
    says: 'a bot of a muted group is refused with bot_muted, until it is unmuted; its typing is passed on',
    async run(visit) {
      const { admin, server, groupId } = await room(visit);
      const bot = say('bot', { groupId, user: 'bot' });
      await admin.taken('mute_bot', { type: 'MUTE_BOT', groupId });
      await server.refused('bot_muted', 'event', bot);
      await server.taken('event', { type: 'TYPING', groupId, typing: true });
      await admin.taken('mute_bot', { type: 'UNMUTE_BOT', groupId });
      await server.taken('event', bot);
    },
  },
  {
    clause: '7.3',
    says: "an admin's first message mutes the bot (AUTO_MUTE): a MUTE_STATUS precedes it, the second has none",
    async run(visit) {
      const { customer, admin, server, groupId } = await room(visit);
      const { seq } = await admin.taken('admin_message', say('one', { groupId }), 'a1');
      const before = admin.frames.findIndex(
        ({ payload }) => payload.type === 'MUTE_STATUS' && payload.groupId === groupId,
      );
      const ack = admin.frames.findIndex(({ channel, payload }) => channel === 'ack' && payload.id === 'a1');
      check(before >= 0 && before < ack, '[8.2] the MUTE_STATUS did not come before the ack');
      await admin.taken('admin_message', say('two', { groupId }));
      await customer.next(({ payload }) => payload.message === 'two', 'the second message');
      // [12.3] Before them it may be told whose the conversation is now.
      const told = customer.events(groupId).filter(({ payload }) => payload.type !== 'ASSIGNED');
      same(
        'what was told',
        told.map(({ payload }) => [payload.type, payload.muted]),
        [
          ['MUTE_STATUS', true],
          ['CHAT_MSG', true],
          ['CHAT_MSG', true],
        ],
      );
      same('the seq of the ack', seq, told[1]?.seq);
      await server.refused('bot_muted', 'event', say('bot', { groupId, user: 'bot' }));
    },
  },
  {
    clause: '7.4',
    says: "a bot's answer to a closed group is group_closed, though it is muted too; a customer's message opens it, unmuted",
    async run(visit) {
      const { customer, admin, server, groupId } = await room(visit);
      const bot = say('bot', { groupId, user: 'bot' });
      await admin.taken('mute_bot', { type: 'MUTE_BOT', groupId });
      await admin.taken('close_chat', { type: 'CLOSE_CHAT', groupId });
      await server.refused('group_closed', 'event', bot);
      await customer.taken('customer_message', say('again'));
      const { payload } = await customer.next(
        ({ payload: { muted, type } }) => type === 'MUTE_STATUS' && muted === false,
        'MUTE_STATUS',
      );
      holds('[7.2] it', payload, { adminId: admin.session.adminId, user: 'customer' });
      await server.taken('event', bot);
    },
  },
  {
    clause: '7.4',
    says: 'a group that its customer closed opens as muted as it was',
    async run(visit) {
      const { customer, admin, server, groupId } = await room(visit);
      await admin.taken('mute_bot', { type: 'MUTE_BOT', groupId });
      await customer.taken('close_chat', { type: 'CLOSE_CHAT' });
      await customer.taken('customer_message', say('again'));
      holds('the message', (await of(server, 'CHAT_MSG', groupId)).payload, { muted: true });
      await server.refused('bot_muted', 'event', say('bot', { groupId, user: 'bot' }));
    },
  },
  {
    clause: '7',
    says: 'a server of "*" is told of every dealer',
    async run(visit) {
      const master = visit.house.token('server', 'conformance', { dealer: '*' });
      const [everywhere, customer] = [await visit.server({ dealerId: '*', token: master }), await visit.customer()];
      await customer.taken('customer_message', say('x'));
      const { payload } = await of(everywhere, 'CHAT_MSG', customer.session.groupId);
      same('the dealer', payload.dealerId, visit.house.dealer);
    },
  },
  {
    clause: '7.5',
    says: "coming and leaving are told where they change something: leaving after a grace, a second socket's not at all",
    waits: 20_000,
    async run(visit) {
      const server = await visit.server();
      const customer = await visit.customer();
      const groupId = String(customer.session.groupId);
      const presence = () => server.events('@desk').filter(({ payload }) => payload.groupId === groupId);
      const second = await visit.customer(groupId, { token: customer.session.token });
      customer.close();
      await second.settled();
      second.close();
      const deadline = Date.now() + 20_000;
      while (presence().length < 2) {
        check(Date.now() < deadline, 'its leaving was not told within 20 s');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const told = presence().map(({ payload: { type, user, online } }) => [type, user, online]);
      same('what was told', told, [
        ['UPDATE_GROUP', 'customer', true],
        ['UPDATE_GROUP', 'customer', false],
      ]);
    },
  },
];
