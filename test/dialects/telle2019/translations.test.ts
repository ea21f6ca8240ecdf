/** [P-19.2] The translations by plain values: each payload of 2019 to Telle's own, and what happened back to its words. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Frame } from '../../../schemas/story.ts';
import { commandOf } from '../../../src/commands/command.ts';
import { readPayload } from '../../../src/dialects/telle2019/incoming.ts';
import { newId } from '../../../src/dialects/telle2019/marks.ts';
import { tellingsOf, wordsOf } from '../../../src/dialects/telle2019/outgoing.ts';
import { heldIn, shown, textOf } from '../../../src/dialects/telle2019/text.ts';
import { ANSWER, DEALER, GROUP, PAYLOADS, page } from '../../support/telle2019.ts';

const at = { dealerId: DEALER, groupId: GROUP };
const SESSION = { role: 'server', dealerId: '*', name: 'telle2019' } as const;
/** The payloads of Telle's that one of 2019 stands for, as a server's are checked. */
const taken = (payload: object) =>
  readPayload({ ...payload }).map((each) => commandOf(SESSION, 'event', { ...each }).body);

const ada = { name: 'Ada', email: 'ada@example.com', phone: '5550100' };
/** What each stands for. */
const STANDS_FOR: Readonly<Record<keyof typeof PAYLOADS, readonly object[]>> = {
  group: [{ type: 'UPDATE_GROUP', ...at, user: 'customer', online: true }],
  chat: [{ type: 'UPDATE_CHAT', ...at, user: 'customer', online: true }],
  customer: [{ type: 'UPDATE_MSG', ...at, user: 'customer', muted: false, unread: 0, message: 'hi' }],
  bot: [
    {
      ...{ type: 'UPDATE_MSG', ...at, user: 'bot', muted: false, unread: 1 },
      message: 'Hello. New or used?\nChoose\nNew\nUsed',
      content: { kind: 'choices', choices: [{ label: 'New' }, { label: 'Used' }] },
    },
  ],
  admin: [{ type: 'UPDATE_MSG', ...at, adminId: '15', user: 'admin', muted: true, unread: 0, message: 'This is Ann.' }],
  mute: [{ type: 'MUTE_BOT', ...at, adminId: '15', muted: true }],
  unmute: [{ type: 'UNMUTE_BOT', ...at, adminId: '15', muted: false }],
  close: [{ type: 'CLOSE_CHAT', ...at, adminId: '15', close: true }],
  user: [{ type: 'UPDATE_USER', ...at, message: { deviceType: 'Desktop', dealerName: 'demo', ip_addr: '192.0.2.7' } }],
  visit: [{ type: 'UPDATE_PAGEVIEW', ...at, message: { url: 'https://cars.example/blue', bot_clicked: 0 } }],
  lead: [{ type: 'UPDATE_LEAD', ...at, message: { ...ada, comments: 'call' } }],
  intent: [
    { type: 'UPDATE_LEAD', ...at, message: { name: 'Ada', department: 'sales' } },
    { type: 'CREATE_LEAD_INTENT', ...at, message: { intent: 'inquiry', name: 'Ada', department: 'sales' } },
  ],
  contact: [
    { type: 'UPDATE_LEAD', ...at, message: { phone: '5550100', email: 'ada@example.com' } },
    {
      ...{ type: 'CREATE_LEAD_INTENT', ...at },
      message: { intent: 'inquiry', phone: '5550100', email: 'ada@example.com' },
    },
  ],
  inquiry: [
    {
      ...{ type: 'UPDATE_LEAD', ...at },
      message: {
        ...{ name: 'Ada', zipcode: '70000', title: 'BMW X5', price: '38000' },
        vehicle: { vin: 'WBA00000000000001', stock: 'S1' },
      },
    },
    {
      ...{ type: 'CREATE_LEAD_INTENT', ...at },
      message: {
        ...{ intent: 'buy', title: 'BMW X5', price: '38000' },
        vehicle: { vin: 'WBA00000000000001', stock: 'S1' },
      },
    },
  ],
  appointment: [
    { type: 'UPDATE_LEAD', ...at, message: { name: 'Ada' } },
    {
      ...{ type: 'CREATE_LEAD_INTENT', ...at },
      message: { intent: 'test_drive', vehicle: { make: 'Honda' }, preferredTime: '2019-10-01' },
    },
  ],
  notification: [{ type: 'UPDATE_LEAD', ...at, message: { name: 'Ada', department: 'sales' } }],
};

describe('[P-19.2] a payload of 2019', () => {
  for (const [name, expected] of Object.entries(STANDS_FOR)) {
    test(`is taken for what it says: ${name}`, () => {
      const payload = Object.entries(PAYLOADS).find(([each]) => each === name)?.[1] ?? assert.fail(name);
      assert.deepEqual(taken(payload), expected);
    });
  }

  test('of a type that is JavaScript’s own, or of none, stays as it is', () => {
    for (const type of ['__proto__', 'constructor', 'toString', undefined, 7, null]) {
      assert.deepEqual(readPayload({ type }), [{ type }]);
    }
  });

  test('that is Telle’s own stays as it is', () => {
    const own = [
      { type: 'UPDATE_MSG', ...at, user: 'bot', message: 'text' },
      { type: 'UNMUTE_BOT', ...at, adminId: 'a1' },
      { type: 'CREATE_LEAD_INTENT', ...at, message: { intent: 'lease', notes: 'soon' } },
      { type: 'UPDATE_LEAD_INTENT', ...at, message: { intent: 'lease', status: 'won' } },
      { type: 'UPDATE_LEAD', ...at, message: { name: 'Ada', vehicle: { vin: 'V1' } } },
    ];
    for (const payload of own) assert.deepEqual(taken(payload), [payload]);
  });

  test('names its group inside its record where it names it nowhere else', () => {
    const message = { sessionId: GROUP, phone: '1' };
    assert.deepEqual(taken({ type: 'UPDATE_LEAD', dealerId: 201900001, groupId: '', message }), [
      { type: 'UPDATE_LEAD', ...at, message: { phone: '1' } },
    ]);
  });

  test('has a name only where one is known', () => {
    for (const customer of ['customer', 'Customer', '', null]) {
      assert.deepEqual(taken({ ...PAYLOADS.lead, message: { customer, phone: '1' } }), [
        { type: 'UPDATE_LEAD', ...at, message: { phone: '1' } },
      ]);
    }
  });

  test('that lacks what it must have is refused as any other', () => {
    const { message: _, ...said } = PAYLOADS.customer;
    for (const [payload, field] of [
      [{ ...PAYLOADS.visit, sid: undefined, message: {} }, 'groupId'],
      [{ ...PAYLOADS.visit, message: 7 }, 'message'],
      [{ ...PAYLOADS.bot, message: [{ payload: {} }] }, 'message'],
      [said, 'message'],
      [{ ...PAYLOADS.close, adminId: [15] }, 'adminId'],
    ] as const)
      assert.throws(() => taken(payload), { message: new RegExp(`^${field}: `) });
  });
});

const TEXTS: readonly (readonly [what: string, message: unknown, text: string])[] = [
  ['a page’s text', page('hi'), 'hi'],
  ['a page’s emoji', { author: 'me', type: 'emoji', data: { emoji: '😀' } }, '😀'],
  ['a page’s file', { type: 'file', data: { file: { name: 'a', url: 'https://a.example/a' } } }, 'https://a.example/a'],
  ['the bot’s texts and quick replies', ANSWER, 'Hello. New or used?\nChoose\nNew\nUsed'],
  ['a card', [{ card: { title: 'X5', subtitle: 'blue' } }], 'X5\nblue'],
  ['an image', [{ image: { imageUri: 'https://a.example/a.png' } }], 'https://a.example/a.png'],
  [
    'a template',
    [
      {
        payload: {
          facebook: {
            attachment: {
              payload: {
                template_type: 'generic',
                elements: [{ title: 'X5', subtitle: 'blue', buttons: [{ title: 'Book', payload: 'book it' }] }],
              },
            },
          },
        },
      },
    ],
    'X5\nblue\nBook',
  ],
  ['text, whatever is in it', '{"text":"as it was typed"}', '{"text":"as it was typed"}'],
  ['nothing that can be read', [{ payload: {} }, null, 7], ''],
];

describe('[P-19.2] the text of a message', () => {
  for (const [what, message, text] of TEXTS) test(`of ${what}`, () => assert.equal(textOf(message), text));

  test('is whole, whoever said it, when it has been shown and read again', () => {
    const says = fc.record({ user: fc.constantFrom('customer', 'admin', 'bot'), message: fc.string({ minLength: 1 }) });
    fc.assert(fc.property(says, (said) => textOf(shown(said)) === said.message));
  });

  test('of anything at all is text, or what was no message stays what it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = textOf(value);
        assert.ok(typeof text === 'string' || Object.is(text, value));
      }),
    );
  });
});

const CARD = { title: 'X5', subtitle: 'blue', image: 'https://a.example/x5.png', url: 'https://a.example/x5' };
const BUTTONS = [
  { type: 'web_url', title: 'X5', url: 'https://a.example/x5' },
  { type: 'postback', title: 'Book', payload: 'book it' },
];
const templated = (payload: object) => [
  { platform: 'FACEBOOK', payload: { facebook: { attachment: { type: 'template', payload } } } },
];

/** What the bot says, and what there is of it besides text. */
const CONTENTS: readonly (readonly [what: string, message: object[], content: object | undefined])[] = [
  ['text alone', [{ text: { text: ['hi'] } }], undefined],
  ['quick replies', ANSWER, { kind: 'choices', choices: [{ label: 'New' }, { label: 'Used' }] }],
  [
    'cards',
    [
      {
        card: {
          ...{ title: 'X5', subtitle: 'blue', imageUri: 'https://a.example/x5.png' },
          buttons: [
            { text: 'See it', postback: 'https://a.example/x5' },
            { text: 'Book', postback: 'book it' },
          ],
        },
      },
    ],
    { kind: 'cards', cards: [{ ...CARD, choices: [{ label: 'Book', value: 'book it' }] }] },
  ],
  [
    'a template of elements',
    templated({
      template_type: 'generic',
      elements: [{ title: 'X5', subtitle: 'blue', image_url: 'https://a.example/x5.png', buttons: BUTTONS }],
    }),
    { kind: 'cards', cards: [{ ...CARD, choices: [{ label: 'Book', value: 'book it' }] }] },
  ],
  [
    'a template of buttons',
    templated({ template_type: 'button', text: 'And now?', buttons: [{ title: 'Book', payload: 'Book' }] }),
    { kind: 'choices', choices: [{ label: 'Book' }] },
  ],
  [
    'an image that is not https',
    [{ card: { title: 'X5', imageUri: 'http://a.example/' } }],
    { kind: 'cards', cards: [{ title: 'X5' }] },
  ],
  ['more than Telle takes', [{ quickReplies: { title: 'Choose', quickReplies: Array(21).fill('x') } }], undefined],
  ['what is no card', [{ card: { subtitle: 7 } }], undefined],
];

describe('[P-18.1, P-19.2] what there is besides the text', () => {
  for (const [what, message, content] of CONTENTS)
    test(`of ${what}`, () => assert.deepEqual(heldIn(message).content, content));

  test('is shown as the bot has said it', () => {
    for (const index of [1, 3]) {
      const [, message = [], content] = CONTENTS[index] ?? [];
      const again = heldIn(shown({ user: 'bot', message: textOf(message), content }));
      assert.deepEqual(again, { message: again.message, content });
    }
    assert.deepEqual(shown({ user: 'bot', ...heldIn(ANSWER) }), [
      {
        platform: 'FACEBOOK',
        quickReplies: { title: 'Hello. New or used?\nChoose', quickReplies: ['New', 'Used'] },
      },
    ]);
  });

  test('of a vehicle is a card, and of an admin words', () => {
    const content = { kind: 'vehicle', vehicle: { year: 2019, make: 'BMW', model: 'X5' }, price: '$38,000' };
    const element = { title: '2019 BMW X5, $38,000', buttons: [] };
    assert.deepEqual(shown({ user: 'bot', message: 'This one.', content }), [
      { platform: 'FACEBOOK', text: { text: ['This one.'] } },
      ...templated({ template_type: 'generic', elements: [element] }),
    ]);
    assert.deepEqual(shown({ user: 'admin', message: 'This one.', content }), page('This one.\n2019 BMW X5, $38,000'));
  });

  test('of anything at all is a content, or none', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (parts) => {
        const { content } = heldIn(parts);
        assert.ok(content === undefined || typeof Object(content).kind === 'string');
      }),
    );
  });
});

const frame = (channel: string, payload: object, id = 'e1'): Frame => ({
  ...{ channel, payload: { ...payload }, id, scope: GROUP, seq: 1, at: '2019-09-30T19:57:02.112Z' },
});
const stamp = '2019-09-30 19:57:02.112000';
const chat = (more: object) =>
  frame('CHAT_MESSAGE', { type: 'CHAT_MSG', ...at, muted: false, unread: 1, ...more }, '7a1d');
const onDesk = (type: string, message: object, id?: string) => frame('CUSTOMER_STATE', { type, ...at, message }, id);
const via = { via: 'telle' };

/** What happened, what a page or a desk hears of it, and what the services are told, each with its lists. */
const HAPPENED: readonly (readonly [what: string, frame: Frame, heard: object[], told: [object, string][]])[] = [
  [
    'a customer’s message',
    chat({ user: 'customer', message: 'hi' }),
    [{ event: 'CHAT_MESSAGE', payload: { ...PAYLOADS.customer, type: 'CHAT_MSG', unread: 1, timestamp: stamp } }],
    [[{ ...PAYLOADS.customer, unread: 1, timestamp: stamp, ...via }, 'bot daemon']],
  ],
  [
    'a bot’s message',
    chat({ user: 'bot', message: 'Hello.' }),
    [
      {
        event: 'CHAT_MESSAGE',
        payload: {
          ...{ type: 'CHAT_MSG', ...at, muted: false, unread: 1, user: 'bot' },
          ...{ message: [{ text: { text: ['Hello.'] } }], uid: '7a1d', timestamp: stamp },
        },
      },
    ],
    [
      [
        {
          ...{ type: 'UPDATE_MSG', ...at, muted: false, unread: 1, user: 'bot' },
          ...{ message: [{ text: { text: ['Hello.'] } }], uid: '7a1d', timestamp: stamp, ...via },
        },
        'daemon',
      ],
    ],
  ],
  [
    'a mute',
    frame('MUTE_STATE', { type: 'MUTE_STATUS', ...at, adminId: '15', muted: true }),
    [{ event: 'MUTE_STATE', payload: { type: 'MUTE_STATUS', ...at, adminId: '15', muted: true } }],
    [[{ ...PAYLOADS.mute, ...via }, 'daemon']],
  ],
  [
    'its end, by the customer who writes again',
    frame('MUTE_STATE', { type: 'MUTE_STATUS', ...at, adminId: '15', muted: false, user: 'customer' }),
    [
      {
        event: 'MUTE_STATE',
        payload: { type: 'MUTE_STATUS', ...at, adminId: '15', muted: false, user: 'customer' },
      },
    ],
    [[{ ...PAYLOADS.unmute, ...via }, 'daemon']],
  ],
  [
    'a close',
    frame('CLOSE_CHAT', { ...PAYLOADS.close, user: 'admin' }),
    [{ event: 'CLOSE_CHAT', payload: { ...PAYLOADS.close, user: 'admin' } }],
    [[{ ...PAYLOADS.close, user: 'admin', ...via }, 'daemon']],
  ],
  [
    'a customer who leaves',
    frame('CHAT_STATE', { type: 'UPDATE_GROUP', ...at, user: 'customer', online: false }),
    [
      {
        event: 'CHAT_STATUS',
        payload: { type: 'CHAT_STATUS', ...at, user: 'customer', online: false, timestamp: stamp },
      },
    ],
    [
      [{ ...PAYLOADS.group, online: false, timestamp: stamp, ...via }, 'daemon'],
      [{ ...PAYLOADS.chat, online: false, timestamp: stamp, ...via }, 'bot daemon'],
    ],
  ],
  [
    'an admin who comes',
    frame('CHAT_STATE', { type: 'UPDATE_CHAT', dealerId: DEALER, adminId: '15', user: 'admin', online: true }),
    [
      {
        event: 'CHAT_STATUS',
        payload: {
          type: 'CHAT_STATUS',
          dealerId: DEALER,
          adminId: '15',
          user: 'admin',
          online: true,
          timestamp: stamp,
        },
      },
    ],
    [
      [
        {
          ...{ type: 'UPDATE_CHAT', dealerId: DEALER, adminId: '15', user: 'admin', online: true },
          ...{ timestamp: stamp, ...via },
        },
        '',
      ],
    ],
  ],
  [
    'a page view',
    onDesk('UPDATE_PAGEVIEW', { url: 'https://cars.example/blue', bot_clicked: 0 }),
    [],
    [[{ ...PAYLOADS.visit, ...via }, 'daemon']],
  ],
  [
    'a lead',
    onDesk('UPDATE_LEAD', { ...ada, comments: 'call' }),
    [
      {
        event: 'LEADS_NOTIFICATION',
        payload: { ...PAYLOADS.notification, type: 'LEADS_NOTIFICATION' },
      },
    ],
    [
      [{ ...PAYLOADS.lead, ...via }, 'daemon notification'],
      [{ ...PAYLOADS.notification, ...via }, ''],
    ],
  ],
  [
    'a lead of which the channel tells by itself',
    onDesk('UPDATE_LEAD', ada, newId(false)),
    [],
    [[{ ...PAYLOADS.lead, message: { ...PAYLOADS.lead.message, note: undefined }, ...via }, 'daemon notification']],
  ],
  [
    'an intent without a name',
    onDesk('CREATE_LEAD_INTENT', { intent: 'inquiry', name: 'Ada', department: 'sales' }),
    [{ event: 'LEADS_NOTIFICATION', payload: { ...PAYLOADS.notification, type: 'LEADS_NOTIFICATION' } }],
    [
      [{ ...PAYLOADS.intent, ...via }, 'daemon'],
      [{ ...PAYLOADS.notification, ...via }, ''],
    ],
  ],
  ['what they do not know', frame('TYPING_STATE', { type: 'TYPING', ...at, user: 'bot', typing: true }), [], []],
  ['a type of JavaScript’s own', frame('X', { type: 'constructor' }), [], []],
];

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('[P-19.2] what happened', () => {
  for (const [what, happened, heard, told] of HAPPENED) {
    test(`is told to pages and desks as they know it: ${what}`, () => assert.deepEqual(wordsOf(happened), heard));

    test(`is told to the services as they know it: ${what}`, () => {
      const tellings = tellingsOf(happened).map(({ text, lists }) => [JSON.parse(text), lists.join(' ')]);
      assert.deepEqual(tellings, plain(told));
    });
  }

  test('is, of each record that came, what came', () => {
    for (const name of ['user', 'visit', 'lead', 'intent'] as const) {
      const [own = assert.fail(name)] = readPayload(PAYLOADS[name]).slice(-1);
      const [telling = assert.fail(name)] = tellingsOf(frame('CUSTOMER_STATE', own));
      assert.deepEqual(JSON.parse(telling.text), { ...PAYLOADS[name], ...via }, name);
    }
  });
});
