/** [P-18.1] What a message holds besides its text: choices, cards, a vehicle, and the answer to them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Content } from '../../schemas/content.ts';
import type { Detail } from '../../schemas/errors.ts';
import { DEALER, startServer, type TestServer } from '../support/server.ts';

const CHOICES: Content = { kind: 'choices', choices: [{ label: 'New', value: 'new' }, { label: 'Used' }] };
const CARDS: Content = {
  kind: 'cards',
  cards: [
    {
      title: 'Corolla',
      subtitle: 'Blue,\none owner',
      image: 'https://img.example/corolla.jpg?w=600#top',
      url: 'http://cars.example/corolla',
      choices: [{ label: 'Test drive', value: '{"stock":"S1"}' }],
    },
    { title: 'Yaris' },
  ],
};
const VEHICLE: Content = {
  kind: 'vehicle',
  vehicle: { condition: 'used', year: 2023, make: 'Toyota', model: 'Corolla', trim: null, vin: 'V1', stock: 'S1' },
  price: '$18,700',
  image: 'https://img.example/corolla.jpg',
  url: 'https://cars.example/corolla',
};

let server: TestServer;
before(async () => {
  server = await startServer({ settings: { RATE_LIMIT: 'off', AUTO_MUTE: 'off' } });
});
after(() => server.close());

let groups = 0;
/** A customer, an admin and a bot of one conversation. */
async function people() {
  groups += 1;
  const groupId = `g${groups}`;
  const guest = await server.customer(groupId);
  return { groupId, guest, admin: await server.admin('a1'), bot: await server.server() };
}
const say = (more: object) => ({ type: 'UPDATE_MSG', message: 'Which one?', ...more });

/** The faults that a bot is told of a content. */
async function faults(content: unknown): Promise<readonly Detail[]> {
  const { groupId, bot } = await people();
  const { channel, code, details } = await bot.ask('event', say({ groupId, user: 'bot', content }));
  assert.equal(channel, 'error', JSON.stringify(content));
  assert.equal(code, 'invalid_payload');
  return details;
}

describe('[P-18.1] what a message holds besides text', () => {
  for (const content of [CHOICES, CARDS, VEHICLE, { ...VEHICLE, price: 18_700 }]) {
    test(`${content.kind}: a bot and an admin send it, and everybody gets it whole`, async () => {
      const { groupId, guest, admin, bot } = await people();
      bot.send('event', say({ groupId, user: 'bot', content }), 'b1');
      for (const client of [guest, admin]) {
        const { payload } = await client.next((frame) => frame.id === 'b1');
        assert.deepEqual([payload.message, payload.content], ['Which one?', content]);
      }
      admin.send('admin_message', say({ groupId, content }), 'a1');
      assert.deepEqual((await guest.next((frame) => frame.id === 'a1')).payload.content, content);
    });
  }

  test('it comes over HTTP, and is in what is read there', async () => {
    const { groupId, guest } = await people();
    const token = await server.token('server', 'crm');
    const body = { ...say({ groupId, user: 'bot', content: CARDS }), dealerId: DEALER };
    assert.equal((await server.http('POST', '/v1/events', { token, body })).status, 200);
    assert.deepEqual((await guest.next('CHAT_MSG')).payload.content, CARDS);
    const read = async (path: string) => (await server.http('GET', `/v1/dealers/${DEALER}/${path}`, { token })).body;
    assert.deepEqual((await read(`scopes/${groupId}/events`)).items[0].payload.content, CARDS);
    assert.deepEqual((await read(`groups/${groupId}`)).lastMessage.content, CARDS);
    assert.deepEqual((await read(`groups/${groupId}/transcript`)).lines[0].content, CARDS);
  });

  test('a customer answers with the seq of what it answers, and the value', async () => {
    const { groupId, guest, bot } = await people();
    const asked = await bot.ask('event', say({ groupId, user: 'bot', content: CHOICES }), 'b1');
    const answer = { message: 'New', replyTo: asked.seq, value: 'new' };
    guest.send('customer_message', { type: 'UPDATE_MSG', ...answer }, 'c1');
    const { payload } = await bot.next((frame) => frame.id === 'c1');
    assert.deepEqual({ message: payload.message, replyTo: payload.replyTo, value: payload.value }, answer);
  });

  test('a customer shows nothing to others, and an admin answers nothing: it is no field of theirs', async () => {
    const { groupId, guest, admin, bot } = await people();
    guest.send('customer_message', say({ content: CARDS, replyTo: 1, value: 'x' }), 'c1');
    const first = await bot.next((frame) => frame.id === 'c1');
    assert.deepEqual([first.payload.content, first.payload.replyTo, first.payload.value], [undefined, 1, 'x']);
    admin.send('admin_message', say({ groupId, content: CARDS, replyTo: 1, value: 'x' }), 'a1');
    const second = await bot.next((frame) => frame.id === 'a1');
    assert.deepEqual(
      [second.payload.content, second.payload.replyTo, second.payload.value],
      [CARDS, undefined, undefined],
    );
  });

  test('unknown fields are left out at every depth [P-2.4]', async () => {
    const { groupId, guest, bot } = await people();
    const more = { html: '<b>' };
    const given = [
      { ...CHOICES, ...more, choices: [{ label: 'New', ...more }] },
      { ...CARDS, ...more, cards: [{ title: 'Corolla', ...more, choices: [{ label: 'Yes', ...more }] }] },
      { ...VEHICLE, ...more, vehicle: { make: 'Toyota', ...more } },
    ];
    const kept = [
      { kind: 'choices', choices: [{ label: 'New' }] },
      { kind: 'cards', cards: [{ title: 'Corolla', choices: [{ label: 'Yes' }] }] },
      { ...VEHICLE, vehicle: { make: 'Toyota' } },
    ];
    for (const [index, content] of given.entries()) {
      bot.send('event', say({ groupId, user: 'bot', content }), `b${index}`);
      assert.deepEqual((await guest.next((frame) => frame.id === `b${index}`)).payload.content, kept[index]);
    }
  });
});

const choice = (more: object) => ({ kind: 'choices', choices: [{ label: 'New', ...more }] });
const card = (more: object) => ({ kind: 'cards', cards: [{ title: 'Corolla', ...more }] });
const many = <T>(count: number, each: T): T[] => Array.from({ length: count }, () => each);
const LABEL = 'expected a string of 1 to 200 characters, none of them a control character';
const HTTPS = 'expected a URL that begins with https:// and has neither blanks nor a user';
const HTTP = 'expected a URL that begins with https:// or http:// and has neither blanks nor a user';

/** What is refused, where, and in what words. */
const REFUSED: readonly (readonly [unknown, string, string])[] = [
  ['<b>', '/content', 'expected object, got a string of length 3'],
  [null, '/content', 'expected object, got null'],
  [[CHOICES], '/content', 'expected object, got an array of 1'],
  [{}, '/content/kind', 'expected one of choices, cards, vehicle, got nothing'],
  [{ kind: 'html', html: '<b>' }, '/content/kind', 'expected one of choices, cards, vehicle, got a string of length 4'],
  [{ kind: 'cards', choices: CHOICES }, '/content/cards', 'required'],
  [
    { kind: 'choices', choices: [] },
    '/content/choices',
    'expected array length to be greater or equal to 1, got an array of 0',
  ],
  [
    { kind: 'choices', choices: many(21, { label: 'x' }) },
    '/content/choices',
    'expected array length to be less or equal to 20, got an array of 21',
  ],
  [choice({ label: '' }), '/content/choices/0/label', `${LABEL}, got a string of length 0`],
  [choice({ label: 'x'.repeat(201) }), '/content/choices/0/label', `${LABEL}, got a string of length 201`],
  [choice({ label: 'a\nb' }), '/content/choices/0/label', `${LABEL}, got a string of length 3`],
  [choice({ value: 7 }), '/content/choices/0/value', 'expected text of 1 to 1000 characters, got an integer'],
  [
    { kind: 'cards', cards: many(21, { title: 'x' }) },
    '/content/cards',
    'expected array length to be less or equal to 20, got an array of 21',
  ],
  [
    card({ choices: many(11, { label: 'x' }) }),
    '/content/cards/0/choices',
    'expected array length to be less or equal to 10, got an array of 11',
  ],
  [card({ image: 'http://img.example/a.jpg' }), '/content/cards/0/image', `${HTTPS}, got a string of length 24`],
  [card({ image: 'data:image/png;base64,AA' }), '/content/cards/0/image', `${HTTPS}, got a string of length 24`],
  [card({ url: 'javascript:alert(1)' }), '/content/cards/0/url', `${HTTP}, got a string of length 19`],
  [card({ url: 'https://bank.example@cars.example/' }), '/content/cards/0/url', `${HTTP}, got a string of length 34`],
  [card({ url: 'https://cars.example/a b' }), '/content/cards/0/url', `${HTTP}, got a string of length 24`],
  [card({ url: '//cars.example' }), '/content/cards/0/url', `${HTTP}, got a string of length 14`],
  [
    { kind: 'vehicle', vehicle: { year: true } },
    '/content/vehicle/year',
    'expected integer or string or null, got a boolean',
  ],
  [{ kind: 'vehicle', vehicle: {}, price: -1 }, '/content/price', 'expected number or string, got an integer'],
];

describe('[P-18.1] what is no content', () => {
  for (const [content, path, message] of REFUSED) {
    test(`${JSON.stringify(content).slice(0, 70)}: ${path}`, async () => {
      assert.deepEqual((await faults(content))[0], { path, message });
    });
  }

  test('an answer that is none', async () => {
    const { guest } = await people();
    for (const [field, value, rule] of [
      ['replyTo', 0, 'expected integer to be greater or equal to 1, got an integer'],
      ['replyTo', '1', 'expected integer, got a string of length 1'],
      ['value', '', 'expected text of 1 to 1000 characters, got a string of length 0'],
    ]) {
      const { details } = await guest.ask('customer_message', say({ [String(field)]: value }));
      assert.deepEqual(details, [{ path: `/${field}`, message: rule }]);
    }
  });
});
