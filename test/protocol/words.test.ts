/** Events in words, for a transcript or a terminal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Event } from '../../schemas/delivered.ts';
import { inWords, plainText } from '../../src/protocol/words.ts';

const IDS = { dealerId: 'd1', groupId: 'g1' } as const;
const CUSTOMER = { ...IDS, user: 'customer' } as const;
const ADMIN = { ...IDS, user: 'admin', adminId: 'a1' } as const;
const SAID = { type: 'CHAT_MSG', muted: false, unread: 0, message: 'hi' } as const;

const TOLD: readonly (readonly [Event, string])[] = [
  [{ ...SAID, ...CUSTOMER }, 'customer: hi'],
  [{ ...SAID, ...ADMIN }, 'a1: hi'],
  [{ ...SAID, ...IDS, user: 'bot', message: 'a\nb' }, 'bot: a\n    b'],
  [
    {
      ...SAID,
      ...IDS,
      user: 'bot',
      content: { kind: 'choices', choices: [{ label: 'New' }, { label: 'Us\u202eed' }] },
    },
    'bot: hi\n    1. New\n    2. Us\ufffded',
  ],
  [
    {
      ...SAID,
      ...IDS,
      user: 'bot',
      content: {
        kind: 'cards',
        cards: [
          { title: 'Corolla', subtitle: 'blue', url: 'https://a.example/', choices: [{ label: 'Yes', value: 'y' }] },
          { title: 'Yaris', choices: [{ label: 'No' }] },
        ],
      },
    },
    'bot: hi\n    Corolla, blue, https://a.example/\n    1. Yes\n    Yaris\n    2. No',
  ],
  [
    {
      ...SAID,
      ...ADMIN,
      content: {
        kind: 'vehicle' as const,
        vehicle: {
          year: 2023,
          make: 'Toyota',
          model: 'Corolla',
          trim: null,
          stock: 'S1',
          vin: 'V1',
          condition: 'used',
        },
        price: 18_700,
        url: 'https://a.example/',
      },
    },
    'a1: hi\n    2023 Toyota Corolla, used, stock S1, VIN V1, 18700, https://a.example/',
  ],
  [{ ...SAID, ...ADMIN, content: { kind: 'vehicle' as const, vehicle: {} } }, 'a1: hi'],
  [
    { type: 'SYS_MSG', dealerId: 'd1', adminId: 'a1', user: 'admin', muted: true, unread: 0, message: 'x\ny' },
    'a1 to everybody: x\n    y',
  ],
  [{ type: 'MUTE_STATUS', ...IDS, adminId: 'a1', muted: true }, '-- a1 took over from the bot'],
  [{ type: 'MUTE_STATUS', ...IDS, adminId: 'bot', muted: false }, '-- admin bot let the bot speak again'],
  [
    { type: 'MUTE_STATUS', ...CUSTOMER, adminId: 'a1', muted: false },
    '-- the customer wrote again: the take-over of a1 is over',
  ],
  [{ type: 'CLOSE_CHAT', ...CUSTOMER, close: true }, '-- closed by customer'],
  [{ type: 'UPDATE_CHAT', ...ADMIN, online: true }, '-- a1 is here'],
  [{ type: 'UPDATE_CHAT', ...ADMIN, online: false }, '-- a1 left'],
  [{ type: 'UPDATE_GROUP', ...CUSTOMER, online: true }, '-- the customer is here'],
  [{ type: 'UPDATE_GROUP', ...CUSTOMER, online: false }, '-- the customer left'],
  [{ type: 'TYPING', ...CUSTOMER, typing: true }, '-- customer is typing'],
  [{ type: 'TYPING', ...ADMIN, typing: false }, '-- a1 stopped typing'],
  [{ type: 'READ', ...ADMIN, seq: 7 }, '-- a1 has read up to 7'],
  [
    { type: 'SET_ASIDE', ...CUSTOMER, setAside: 's1' },
    '-- a customer with a token of the dealer has this name now; what was claimed goes on as s1',
  ],
  [{ type: 'ERASE_GROUP', ...CUSTOMER, online: false }, '-- the conversation was erased'],
  [{ type: 'UPDATE_USER', ...IDS, message: { name: 'A\u202e' } }, '-- UPDATE_USER {"name":"A\ufffd"}'],
];

describe('an event in words', () => {
  for (const [event, words] of TOLD) it(`is ${JSON.stringify(words)}`, () => assert.equal(inWords(event), words));

  it('tells an admin who is called like another role from it, however it is written', () => {
    for (const adminId of ['customer', 'bot', 'Server', 'SOMEBODY']) {
      assert.equal(inWords({ ...SAID, ...ADMIN, adminId }), `admin ${adminId}: hi`);
    }
    for (const adminId of ['customers', 'robot', 'a-server', 'admin']) {
      assert.equal(inWords({ ...SAID, ...ADMIN, adminId }), `${adminId}: hi`);
    }
  });

  it('has each of its lines after the first moved in, and nothing that steers', () => {
    for (const end of ['\n', '\r\n', '\r', '\u2028', '\u2029']) assert.equal(plainText(`a${end}b`), 'a\n    b');
    assert.equal(plainText('a\r\n\nb'), 'a\n    \n    b');
    for (const steering of [
      '\0',
      '\t',
      '\u001b',
      '\u007f',
      '\u0085',
      '\u202a',
      '\u202e',
      '\u2066',
      '\u2069',
      '\ud83d',
    ]) {
      assert.equal(plainText(`a${steering}b`), 'a\ufffdb');
    }
    assert.equal(plainText('é 漢字 😀 \u200b'), 'é 漢字 😀 \u200b');
  });
});
