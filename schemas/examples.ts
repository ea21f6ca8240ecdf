/**
 * The examples of every document, as one story: a customer looks at a car and asks, the bot answers, an agent takes over
 * and closes. Every frame that may be sent is sent in it, and every event is told: a test plays it on a real server.
 */
import type { FrameKind } from './frame-kinds.ts';
import {
  ACTORS,
  acked,
  answered,
  CAST,
  DEALER,
  EPOCH,
  type Frame,
  GROUP,
  on,
  type Step,
  sent,
  step,
  TOKEN,
  told,
} from './story.ts';

/** [P-18.1] Answers that the bot offers beside its text. */
const OFFER = {
  kind: 'choices',
  choices: [{ label: 'Book a test drive', value: 'test_drive' }, { label: 'Just looking' }],
} as const;

export const STORY: readonly Step[] = [
  step(
    'bot',
    'A bot joins for its dealer.',
    sent('server_join', { type: 'SERVER_JOIN', dealerId: DEALER, token: TOKEN }, 'b1'),
    answered('bot', 'session', {
      role: 'server',
      dealerId: DEALER,
      expiresAt: '2026-03-14T21:30:00.000Z',
      seqs: { '@dealer': 0, '@desk': 0 },
      recovered: {},
      epoch: EPOCH,
      pingInterval: 25000,
      availability: { open: true, admins: false },
    }),
    acked('bot', 'b1'),
  ),
  step(
    'alice',
    'An agent joins, and the bot is told.',
    sent(
      'admin_join',
      { type: 'ADMIN_JOIN', dealerId: DEALER, adminId: 'alice', user: 'admin', online: true, token: TOKEN },
      'a1',
    ),
    answered('alice', 'session', {
      role: 'admin',
      dealerId: DEALER,
      adminId: 'alice',
      expiresAt: '2026-03-14T21:30:00.000Z',
      seqs: { '@dealer': 0, '@desk': 1 },
      recovered: {},
      epoch: EPOCH,
      pingInterval: 25000,
      availability: { open: true, admins: true },
      answerWithin: { bot: 30, admin: 120 },
      admins: ['alice'],
    }),
    acked('alice', 'a1'),
    told(
      ['bot'],
      { type: 'UPDATE_CHAT', adminId: 'alice', user: 'admin', online: true },
      { id: '7c9e6679-7425-40de-944b-e07fc1f91001', seq: 1, at: on('09:30:17.455') },
    ),
  ),
  step(
    'widget',
    'A customer opens the chat widget, which claims a group.',
    sent(
      'client_join',
      { type: 'CLIENT_JOIN', dealerId: DEALER, groupId: GROUP, user: 'customer', online: true },
      'w1',
    ),
    answered('widget', 'session', {
      role: 'customer',
      dealerId: DEALER,
      groupId: GROUP,
      token: TOKEN,
      expiresAt: '2026-04-13T09:30:00.000Z',
      seqs: { [GROUP]: 0, '@dealer': 0 },
      recovered: {},
      epoch: EPOCH,
      pingInterval: 25000,
      muted: false,
      closed: false,
      online: true,
      unread: 0,
      waiting: null,
      availability: { open: true, admins: true },
    }),
    acked('widget', 'w1'),
    told(
      ['alice', 'bot'],
      { type: 'UPDATE_GROUP', groupId: GROUP, user: 'customer', online: true },
      { id: '7c9e6679-7425-40de-944b-e07fc1f91002', seq: 2, at: on('09:30:21.069') },
    ),
  ),
  step(
    'widget',
    'The customer looks at a car.',
    sent(
      'customer_update',
      {
        type: 'UPDATE_PAGEVIEW',
        message: {
          url: 'https://demo-motors.example.com/used/U1042',
          title: '2023 Toyota Corolla, blue',
          stock: 'U1042',
          vin: '11111111111111111',
        },
      },
      'w2',
    ),
    acked('widget', 'w2', { scope: '@desk', seq: 3, at: on('09:30:27.646') }),
    told(
      ['alice', 'bot'],
      {
        type: 'UPDATE_PAGEVIEW',
        groupId: GROUP,
        user: 'customer',
        message: {
          url: 'https://demo-motors.example.com/used/U1042',
          title: '2023 Toyota Corolla, blue',
          stock: 'U1042',
          vin: '11111111111111111',
        },
      },
      { id: 'w2', seq: 3, at: on('09:30:27.646') },
    ),
  ),
  step(
    'widget',
    'The customer types.',
    sent('typing', { type: 'TYPING', typing: true }, 'w3'),
    acked('widget', 'w3'),
    told(['alice', 'bot'], { type: 'TYPING', groupId: GROUP, user: 'customer', typing: true }),
  ),
  step(
    'widget',
    'The customer asks.',
    sent('customer_message', { type: 'UPDATE_MSG', message: 'Is the blue Corolla still there?' }, 'w4'),
    acked('widget', 'w4', { scope: GROUP, seq: 1, at: on('09:30:49.185') }),
    told(
      ['alice', 'bot'],
      {
        type: 'CHAT_MSG',
        groupId: GROUP,
        user: 'customer',
        muted: false,
        unread: 1,
        message: 'Is the blue Corolla still there?',
        waiting: { since: on('09:30:49.185'), for: 'bot' },
      },
      { id: 'w4', seq: 1, at: on('09:30:49.185') },
    ),
  ),
  step(
    'bot',
    'The bot thinks.',
    sent('event', { type: 'TYPING', groupId: GROUP, user: 'bot', typing: true }, 'b2'),
    acked('bot', 'b2'),
    told(['widget', 'alice'], { type: 'TYPING', groupId: GROUP, user: 'bot', typing: true }),
  ),
  step(
    'bot',
    'The bot answers.',
    sent(
      'event',
      {
        type: 'UPDATE_MSG',
        groupId: GROUP,
        user: 'bot',
        message: 'It is, and it can be seen today until six. May I ask your name?',
        content: OFFER,
      },
      'b3',
    ),
    acked('bot', 'b3', { scope: GROUP, seq: 2, at: on('09:31:05.612') }),
    told(
      ['widget', 'alice'],
      {
        type: 'CHAT_MSG',
        groupId: GROUP,
        user: 'bot',
        muted: false,
        unread: 1,
        message: 'It is, and it can be seen today until six. May I ask your name?',
        content: OFFER,
        waiting: null,
      },
      { id: 'b3', seq: 2, at: on('09:31:05.612') },
    ),
  ),
  step(
    'widget',
    'The customer says who they are.',
    sent(
      'customer_update',
      {
        type: 'UPDATE_USER',
        message: { firstName: 'Sam', lastName: 'Sample', email: 'sam@example.com', phone: '+1 555 0100' },
      },
      'w5',
    ),
    acked('widget', 'w5', { scope: '@desk', seq: 4, at: on('09:31:14.802') }),
    told(
      ['alice', 'bot'],
      {
        type: 'UPDATE_USER',
        groupId: GROUP,
        user: 'customer',
        message: { firstName: 'Sam', lastName: 'Sample', email: 'sam@example.com', phone: '+1 555 0100' },
      },
      { id: 'w5', seq: 4, at: on('09:31:14.802') },
    ),
  ),
  step(
    'widget',
    'A form on the page makes it a lead.',
    sent(
      'customer_update',
      {
        type: 'UPDATE_LEAD',
        message: {
          source: 'chat',
          consent: true,
          vehicle: { condition: 'used', year: 2023, make: 'Toyota', model: 'Corolla', stock: 'U1042' },
        },
      },
      'w6',
    ),
    acked('widget', 'w6', { scope: '@desk', seq: 5, at: on('09:31:21.384') }),
    told(
      ['alice', 'bot'],
      {
        type: 'UPDATE_LEAD',
        groupId: GROUP,
        user: 'customer',
        message: {
          source: 'chat',
          consent: true,
          vehicle: { condition: 'used', year: 2023, make: 'Toyota', model: 'Corolla', stock: 'U1042' },
        },
      },
      { id: 'w6', seq: 5, at: on('09:31:21.384') },
    ),
  ),
  step(
    'widget',
    'The customer wants a test drive.',
    sent(
      'customer_update',
      { type: 'CREATE_LEAD_INTENT', message: { intent: 'test_drive', preferredTime: 'Saturday morning' } },
      'w7',
    ),
    acked('widget', 'w7', { scope: '@desk', seq: 6, at: on('09:31:28.981') }),
    told(
      ['alice', 'bot'],
      {
        type: 'CREATE_LEAD_INTENT',
        groupId: GROUP,
        user: 'customer',
        message: { intent: 'test_drive', preferredTime: 'Saturday morning' },
      },
      { id: 'w7', seq: 6, at: on('09:31:28.981') },
    ),
  ),
  step(
    'widget',
    'The customer thinks of another time.',
    sent(
      'customer_update',
      { type: 'UPDATE_LEAD_INTENT', message: { intent: 'test_drive', preferredTime: 'Saturday at two' } },
      'w8',
    ),
    acked('widget', 'w8', { scope: '@desk', seq: 7, at: on('09:31:39.489') }),
    told(
      ['alice', 'bot'],
      {
        type: 'UPDATE_LEAD_INTENT',
        groupId: GROUP,
        user: 'customer',
        message: { intent: 'test_drive', preferredTime: 'Saturday at two' },
      },
      { id: 'w8', seq: 7, at: on('09:31:39.489') },
    ),
  ),
  step(
    'alice',
    'The agent opens the chat.',
    sent('chat_state', { type: 'UPDATE_CHAT', groupId: GROUP, online: true }, 'a2'),
    acked('alice', 'a2', { scope: GROUP, seq: 3, at: on('09:31:49.130') }),
    told(
      ['widget', 'bot'],
      { type: 'UPDATE_CHAT', groupId: GROUP, adminId: 'alice', user: 'admin', online: true },
      { id: 'a2', seq: 3, at: on('09:31:49.130') },
    ),
  ),
  step(
    'alice',
    'The agent has read all of it.',
    sent('read', { type: 'READ', groupId: GROUP, seq: 2 }, 'a3'),
    acked('alice', 'a3'),
    told(['widget', 'bot'], { type: 'READ', groupId: GROUP, adminId: 'alice', user: 'admin', seq: 2 }),
  ),
  step(
    'alice',
    'The agent types.',
    sent('typing', { type: 'TYPING', groupId: GROUP, typing: true }, 'a4'),
    acked('alice', 'a4'),
    told(['widget', 'bot'], { type: 'TYPING', groupId: GROUP, adminId: 'alice', user: 'admin', typing: true }),
  ),
  step(
    'alice',
    'The agent takes over: the first message mutes the bot.',
    sent(
      'admin_message',
      {
        type: 'UPDATE_MSG',
        groupId: GROUP,
        message: 'Hello Sam, this is Alice. Saturday at two is fine, I will have it washed.',
      },
      'a5',
    ),
    told(
      ['alice', 'widget', 'bot'],
      { type: 'MUTE_STATUS', groupId: GROUP, adminId: 'alice', muted: true, waiting: null },
      { id: '7c9e6679-7425-40de-944b-e07fc1f91003', seq: 4, at: on('09:32:09.173') },
    ),
    acked('alice', 'a5', { scope: GROUP, seq: 5, at: on('09:32:09.173') }),
    told(
      ['widget', 'bot'],
      {
        type: 'CHAT_MSG',
        groupId: GROUP,
        adminId: 'alice',
        user: 'admin',
        muted: true,
        unread: 0,
        message: 'Hello Sam, this is Alice. Saturday at two is fine, I will have it washed.',
        waiting: null,
      },
      { id: 'a5', seq: 5, at: on('09:32:09.173') },
    ),
  ),
  step(
    'bot',
    'The bot, which is muted, is refused.',
    sent(
      'event',
      { type: 'UPDATE_MSG', groupId: GROUP, user: 'bot', message: 'Did you find what you were looking for?' },
      'b4',
    ),
    answered('bot', 'error', {
      id: 'b4',
      code: 'bot_muted',
      message: 'the bot is muted in this chat',
      retryable: false,
    }),
  ),
  step(
    'widget',
    'The customer has read the answer.',
    sent('read', { type: 'READ', seq: 5 }, 'w9'),
    acked('widget', 'w9'),
    told(['alice', 'bot'], { type: 'READ', groupId: GROUP, user: 'customer', seq: 5 }),
  ),
  step(
    'widget',
    'A message without text is refused, and the socket stays open.',
    sent('customer_message', { type: 'UPDATE_MSG' }, 'w10'),
    answered('widget', 'error', {
      id: 'w10',
      code: 'invalid_payload',
      message: 'message: required',
      retryable: false,
      details: [{ path: '/message', message: 'required' }],
    }),
  ),
  step(
    'alice',
    'The agent corrects a name.',
    sent('admin_update', { type: 'UPDATE_USER', groupId: GROUP, message: { lastName: 'Samples' } }, 'a6'),
    acked('alice', 'a6', { scope: '@desk', seq: 8, at: on('09:32:34.059') }),
    told(
      ['bot'],
      { type: 'UPDATE_USER', groupId: GROUP, user: 'admin', adminId: 'alice', message: { lastName: 'Samples' } },
      { id: 'a6', seq: 8, at: on('09:32:34.059') },
    ),
  ),
  step(
    'alice',
    'The agent qualifies the lead.',
    sent(
      'admin_update',
      { type: 'UPDATE_LEAD', groupId: GROUP, message: { status: 'qualified', comments: 'Has a car to trade in.' } },
      'a7',
    ),
    acked('alice', 'a7', { scope: '@desk', seq: 9, at: on('09:32:37.369') }),
    told(
      ['bot'],
      {
        type: 'UPDATE_LEAD',
        groupId: GROUP,
        user: 'admin',
        adminId: 'alice',
        message: { status: 'qualified', comments: 'Has a car to trade in.' },
      },
      { id: 'a7', seq: 9, at: on('09:32:37.369') },
    ),
  ),
  step(
    'alice',
    'The agent notes what else is wanted.',
    sent(
      'admin_update',
      {
        type: 'CREATE_LEAD_INTENT',
        groupId: GROUP,
        message: { intent: 'trade_in', vehicle: { condition: 'used', year: 2016, make: 'Honda', model: 'Civic' } },
      },
      'a8',
    ),
    acked('alice', 'a8', { scope: '@desk', seq: 10, at: on('09:32:42.370') }),
    told(
      ['bot'],
      {
        type: 'CREATE_LEAD_INTENT',
        groupId: GROUP,
        user: 'admin',
        adminId: 'alice',
        message: { intent: 'trade_in', vehicle: { condition: 'used', year: 2016, make: 'Honda', model: 'Civic' } },
      },
      { id: 'a8', seq: 10, at: on('09:32:42.370') },
    ),
  ),
  step(
    'alice',
    'The agent notes more of it.',
    sent(
      'admin_update',
      {
        type: 'UPDATE_LEAD_INTENT',
        groupId: GROUP,
        message: { intent: 'trade_in', notes: 'One owner, 60,000 miles.' },
      },
      'a9',
    ),
    acked('alice', 'a9', { scope: '@desk', seq: 11, at: on('09:32:52.548') }),
    told(
      ['bot'],
      {
        type: 'UPDATE_LEAD_INTENT',
        groupId: GROUP,
        user: 'admin',
        adminId: 'alice',
        message: { intent: 'trade_in', notes: 'One owner, 60,000 miles.' },
      },
      { id: 'a9', seq: 11, at: on('09:32:52.548') },
    ),
  ),
  step(
    'alice',
    'The agent lets the bot speak again.',
    sent('mute_bot', { type: 'UNMUTE_BOT', groupId: GROUP }, 'a10'),
    acked('alice', 'a10', { scope: GROUP, seq: 6, at: on('09:33:02.569') }),
    told(
      ['widget', 'bot'],
      { type: 'MUTE_STATUS', groupId: GROUP, adminId: 'alice', muted: false, waiting: null },
      { id: 'a10', seq: 6, at: on('09:33:02.569') },
    ),
  ),
  step(
    'alice',
    'The agent mutes the bot.',
    sent('mute_bot', { type: 'MUTE_BOT', groupId: GROUP }, 'a11'),
    acked('alice', 'a11', { scope: GROUP, seq: 7, at: on('09:33:09.646') }),
    told(
      ['widget', 'bot'],
      { type: 'MUTE_STATUS', groupId: GROUP, adminId: 'alice', muted: true, waiting: null },
      { id: 'a11', seq: 7, at: on('09:33:09.646') },
    ),
  ),
  step(
    'alice',
    'The agent announces something to every chat.',
    sent('sys_message', { type: 'SYS_MSG', message: 'We are closed on Monday.' }, 'a12'),
    acked('alice', 'a12', { scope: '@dealer', seq: 1, at: on('09:33:16.160') }),
    told(
      ['widget', 'bot'],
      { type: 'SYS_MSG', adminId: 'alice', user: 'admin', muted: true, unread: 0, message: 'We are closed on Monday.' },
      { id: 'a12', seq: 1, at: on('09:33:16.160') },
    ),
  ),
  step(
    'widget',
    'The widget asks whether the line is alive.',
    sent('ping', {}, 'w11'),
    answered('widget', 'pong', {}),
    acked('widget', 'w11'),
  ),
  step(
    'alice',
    "The agent's console asks whether the line is alive.",
    sent('ping', {}, 'a13'),
    answered('alice', 'pong', {}),
    acked('alice', 'a13'),
  ),
  step(
    'bot',
    'The bot asks whether the line is alive.',
    sent('ping', {}, 'b5'),
    answered('bot', 'pong', {}),
    acked('bot', 'b5'),
  ),
  step('widget', 'The widget gives its next token.', sent('refresh', { token: TOKEN }, 'w12'), acked('widget', 'w12')),
  step(
    'alice',
    "The agent's console gives its next token.",
    sent('refresh', { token: TOKEN }, 'a14'),
    acked('alice', 'a14'),
  ),
  step('bot', 'The bot gives its next token.', sent('refresh', { token: TOKEN }, 'b6'), acked('bot', 'b6')),
  step(
    'bot',
    'A dealer management system unmutes the bot in the name of the agent.',
    sent('event', { type: 'UNMUTE_BOT', groupId: GROUP, adminId: 'alice' }, 'b7'),
    acked('bot', 'b7', { scope: GROUP, seq: 8, at: on('09:34:07.673') }),
    told(
      ['widget', 'alice'],
      { type: 'MUTE_STATUS', groupId: GROUP, adminId: 'alice', muted: false, waiting: null },
      { id: 'b7', seq: 8, at: on('09:34:07.673') },
    ),
  ),
  step(
    'bot',
    'It mutes the bot in the name of the agent.',
    sent('event', { type: 'MUTE_BOT', groupId: GROUP, adminId: 'alice' }, 'b8'),
    acked('bot', 'b8', { scope: GROUP, seq: 9, at: on('09:34:17.390') }),
    told(
      ['widget', 'alice'],
      { type: 'MUTE_STATUS', groupId: GROUP, adminId: 'alice', muted: true, waiting: null },
      { id: 'b8', seq: 9, at: on('09:34:17.390') },
    ),
  ),
  step(
    'bot',
    'It announces something in the name of the agent.',
    sent('event', { type: 'SYS_MSG', adminId: 'alice', message: 'Winter tyres are in.' }, 'b9'),
    acked('bot', 'b9', { scope: '@dealer', seq: 2, at: on('09:34:28.648') }),
    told(
      ['widget', 'alice'],
      { type: 'SYS_MSG', adminId: 'alice', user: 'admin', muted: true, unread: 0, message: 'Winter tyres are in.' },
      { id: 'b9', seq: 2, at: on('09:34:28.648') },
    ),
  ),
  step(
    'bot',
    'It knows the customer from before.',
    sent('event', { type: 'UPDATE_USER', groupId: GROUP, message: { externalId: 'crm-20031' } }, 'b10'),
    acked('bot', 'b10', { scope: '@desk', seq: 12, at: on('09:34:31.982') }),
    told(
      ['alice'],
      { type: 'UPDATE_USER', groupId: GROUP, user: 'server', message: { externalId: 'crm-20031' } },
      { id: 'b10', seq: 12, at: on('09:34:31.982') },
    ),
  ),
  step(
    'bot',
    'It scores the lead. The `id` in the payload is the one that counts, should this be sent again.',
    sent('event', { type: 'UPDATE_LEAD', groupId: GROUP, message: { score: 82 }, id: 'crm-88' }, 'b11'),
    acked('bot', 'b11', { scope: '@desk', seq: 13, at: on('09:34:40.526') }),
    told(
      ['alice'],
      { type: 'UPDATE_LEAD', groupId: GROUP, user: 'server', message: { score: 82 } },
      { id: 'crm-88', seq: 13, at: on('09:34:40.526') },
    ),
  ),
  step(
    'bot',
    'It adds what the customer told on the phone.',
    sent('event', { type: 'CREATE_LEAD_INTENT', groupId: GROUP, message: { intent: 'finance' } }, 'b12'),
    acked('bot', 'b12', { scope: '@desk', seq: 14, at: on('09:34:52.172') }),
    told(
      ['alice'],
      { type: 'CREATE_LEAD_INTENT', groupId: GROUP, user: 'server', message: { intent: 'finance' } },
      { id: 'b12', seq: 14, at: on('09:34:52.172') },
    ),
  ),
  step(
    'bot',
    'A record may be a string that holds one.',
    sent(
      'event',
      { type: 'UPDATE_LEAD_INTENT', groupId: GROUP, message: '{"intent":"finance","status":"won"}' },
      'b13',
    ),
    acked('bot', 'b13', { scope: '@desk', seq: 15, at: on('09:34:55.773') }),
    told(
      ['alice'],
      { type: 'UPDATE_LEAD_INTENT', groupId: GROUP, user: 'server', message: { intent: 'finance', status: 'won' } },
      { id: 'b13', seq: 15, at: on('09:34:55.773') },
    ),
  ),
  step(
    'bot',
    'The site reports a page view.',
    sent(
      'event',
      {
        type: 'UPDATE_PAGEVIEW',
        groupId: GROUP,
        message: { url: 'https://demo-motors.example.com/finance', title: 'Finance' },
      },
      'b14',
    ),
    acked('bot', 'b14', { scope: '@desk', seq: 16, at: on('09:35:05.708') }),
    told(
      ['alice'],
      {
        type: 'UPDATE_PAGEVIEW',
        groupId: GROUP,
        user: 'server',
        message: { url: 'https://demo-motors.example.com/finance', title: 'Finance' },
      },
      { id: 'b14', seq: 16, at: on('09:35:05.708') },
    ),
  ),
  step(
    'bot',
    'A telephone system brings in a customer of its own.',
    sent('event', { type: 'UPDATE_GROUP', groupId: 'phone-31', online: true }, 'b15'),
    acked('bot', 'b15', { scope: '@desk', seq: 17, at: on('09:35:14.954') }),
    told(
      ['alice'],
      { type: 'UPDATE_GROUP', groupId: 'phone-31', user: 'customer', online: true },
      { id: 'b15', seq: 17, at: on('09:35:14.954') },
    ),
  ),
  step(
    'bot',
    'An agent takes that call.',
    sent('event', { type: 'UPDATE_CHAT', groupId: 'phone-31', adminId: 'alice', user: 'admin', online: true }, 'b16'),
    acked('bot', 'b16', { scope: 'phone-31', seq: 1, at: on('09:35:18.847') }),
    told(
      ['alice'],
      { type: 'UPDATE_CHAT', groupId: 'phone-31', adminId: 'alice', user: 'admin', online: true },
      { id: 'b16', seq: 1, at: on('09:35:18.847') },
    ),
  ),
  step(
    'bot',
    'That customer hangs up.',
    sent('event', { type: 'UPDATE_CHAT', groupId: 'phone-31', user: 'customer', online: false }, 'b17'),
    acked('bot', 'b17', { scope: '@desk', seq: 18, at: on('09:35:22.688') }),
    told(
      ['alice'],
      { type: 'UPDATE_GROUP', groupId: 'phone-31', user: 'customer', online: false },
      { id: 'b17', seq: 18, at: on('09:35:22.688') },
    ),
  ),
  step(
    'bot',
    'The chat of the call is closed.',
    sent('event', { type: 'CLOSE_CHAT', groupId: 'phone-31', user: 'admin', adminId: 'alice' }, 'b18'),
    acked('bot', 'b18', { scope: 'phone-31', seq: 2, at: on('09:35:28.452') }),
    told(
      ['alice'],
      { type: 'CLOSE_CHAT', groupId: 'phone-31', adminId: 'alice', user: 'admin', close: true, waiting: null },
      { id: 'b18', seq: 2, at: on('09:35:28.452') },
    ),
  ),
  step(
    'alice',
    'The agent closes the chat.',
    sent('close_chat', { type: 'CLOSE_CHAT', groupId: GROUP }, 'a15'),
    acked('alice', 'a15', { scope: GROUP, seq: 10, at: on('09:35:36.975') }),
    told(
      ['widget', 'bot'],
      { type: 'CLOSE_CHAT', groupId: GROUP, adminId: 'alice', user: 'admin', close: true, waiting: null },
      { id: 'a15', seq: 10, at: on('09:35:36.975') },
    ),
  ),
  step(
    'widget',
    'The customer closes it too.',
    sent('close_chat', { type: 'CLOSE_CHAT' }, 'w13'),
    acked('widget', 'w13', { scope: GROUP, seq: 11, at: on('09:35:48.741') }),
    told(
      ['alice', 'bot'],
      { type: 'CLOSE_CHAT', groupId: GROUP, user: 'customer', close: true, waiting: null },
      { id: 'w13', seq: 11, at: on('09:35:48.741') },
    ),
  ),
  step(
    'alice',
    'The agent leaves the chat.',
    sent('chat_state', { type: 'UPDATE_CHAT', groupId: GROUP, online: false }, 'a16'),
    acked('alice', 'a16', { scope: GROUP, seq: 12, at: on('09:35:55.138') }),
    told(
      ['widget', 'bot'],
      { type: 'UPDATE_CHAT', groupId: GROUP, adminId: 'alice', user: 'admin', online: false },
      { id: 'a16', seq: 12, at: on('09:35:55.138') },
    ),
  ),
  step(
    'bot',
    'In another chat the bot asks for a person.',
    sent('event', { type: 'HANDOFF', groupId: 'phone-32', reason: 'wants to speak of a price' }, 'b20'),
    acked('bot', 'b20', { scope: '@desk', seq: 19, at: on('09:35:58.300') }),
    told(
      ['alice'],
      {
        type: 'HANDOFF',
        groupId: 'phone-32',
        user: 'bot',
        reason: 'wants to speak of a price',
        waiting: { since: on('09:35:58.300'), for: 'admin' },
      },
      { id: 'b20', seq: 19, at: on('09:35:58.300') },
    ),
  ),
  step(
    'alice',
    'The agent takes the conversation, which is nobody’s.',
    sent('assign', { type: 'ASSIGN', groupId: GROUP, assignee: 'alice', expect: null }, 'a17'),
    acked('alice', 'a17', { scope: GROUP, seq: 13, at: on('09:36:02.480') }),
    told(
      ['widget', 'bot'],
      { type: 'ASSIGNED', groupId: GROUP, adminId: 'alice', assignee: 'alice', reason: 'asked' },
      { id: 'a17', seq: 13, at: on('09:36:02.480') },
    ),
  ),
  step(
    'bot',
    'Another server gives it to a colleague.',
    sent('event', { type: 'ASSIGN', groupId: GROUP, assignee: 'bob' }, 'b19'),
    acked('bot', 'b19', { scope: GROUP, seq: 14, at: on('09:36:10.112') }),
    told(
      ['widget', 'alice'],
      { type: 'ASSIGNED', groupId: GROUP, assignee: 'bob', reason: 'asked' },
      { id: 'b19', seq: 14, at: on('09:36:10.112') },
    ),
  ),
];

/** After the story, an agent erases the chat over HTTP: what everybody who sees it is told. */
export const ERASURE = {
  title: 'The chat is erased, and the sockets of its customer are closed.',
  path: `/v1/dealers/${DEALER}/groups/${GROUP}`,
  told: told(ACTORS, { type: 'ERASE_GROUP', groupId: GROUP, user: 'customer', online: false }),
} as const;

/** After that, a customer with a minted token comes for a name that somebody claimed: what the desk is told. */
export const SETTING_ASIDE = {
  title: 'A name that was claimed is that of a customer whose token the dealer minted.',
  groupId: 'customer-4711',
  told: told(
    ['alice', 'bot'],
    {
      type: 'SET_ASIDE',
      groupId: 'customer-4711',
      user: 'customer',
      setAside: '6d1c7a52-90a1-4a0e-9a55-0f6f3f5a2a11',
    },
    { id: '0b6f1f52-5a0e-4d5c-8f0f-3f1f0a7d9b10', seq: 1, at: on('09:36:20.101') },
  ),
} as const;

/** Where nobody answers a customer in time: what the desk is told. */
export const TOO_LATE = {
  title: 'A customer waits for the bot for too long.',
  groupId: 'customer-4712',
  told: told(
    ['alice', 'bot'],
    { type: 'OVERDUE', groupId: 'customer-4712', user: 'customer', since: on('09:36:40.020'), for: 'bot' },
    { id: '3f0d1b7e-6a57-4c1c-9b43-2f6a8a3a4f52', seq: 24, at: on('09:37:10.734') },
  ),
} as const;

/** Where the last agent leaves: what everybody at the dealer is told. */
export const NOBODY_HERE = {
  title: 'The agent leaves, and nobody is here any more.',
  told: told(['widget', 'bot'], { type: 'AVAILABILITY', open: true, admins: false }),
} as const;

const AFTERWARDS = [ERASURE, SETTING_ASIDE, TOO_LATE, NOBODY_HERE].map(({ title, told }) => ({
  title,
  frame: told.frame,
}));

/** A frame of the story, and what happens in it. */
interface Example {
  readonly title: string;
  readonly frame: Frame;
}

/** The frames of the story that are of a kind, those left out that are sent to be refused. */
export function examplesOf({ sender, channel, type }: FrameKind): Example[] {
  const isIt = ({ channel: name, payload }: Frame) => name === channel && (type === null || payload.type === type);
  const own = sender === 'telle' ? AFTERWARDS.filter(({ frame }) => isIt(frame)) : [];
  const ofStory = STORY.flatMap(({ by, title, sends, then }) => {
    const told = then.map(({ frame }) => frame);
    const isTaken = CAST[by] === sender && told.every(({ channel: name }) => name !== 'error');
    const frames = sender === 'telle' ? told : isTaken ? [sends] : [];
    return frames.filter(isIt).map((frame) => ({ title, frame }));
  });
  return [...ofStory, ...own];
}
