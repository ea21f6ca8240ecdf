/** `telle/bot` against a whole server: what it takes, what it knows, what it says, and when it is silent. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { type Answer, type Bot, type BotOptions, type Conversation, createBot } from '../../src/bot/index.ts';
import { named, Place, SOON } from '../support/sdk.ts';
import { DEALER } from '../support/server.ts';
import { Inbox, until } from '../support/until.ts';

let place: Place;
const bots: Bot[] = [];
before(async () => {
  place = await Place.open({ settings: { AUTO_ASSIGN: 'on' }, timing: { sweepInterval: 50, presenceGrace: 50 } });
  await settle({});
});
afterEach(() => {
  for (const bot of bots.splice(0)) bot.close();
});
after(() => place.close());

const settle = (more: object) => place.server.store.putDealer(DEALER, { origins: ['*'], bot: true, ...more });

/** Starts a bot that is asked nothing but what this test says. */
function start(answer: BotOptions['answer'], more: Partial<BotOptions> = {}) {
  const lines: string[] = [];
  const token = place.server.token('server', 'bot');
  const given = { url: place.url, token, WebSocket, backoff: SOON, log: (line: string) => void lines.push(line) };
  const bot = createBot({ ...given, answer, ...more });
  bots.push(bot);
  return { bot, lines };
}

type Guest = Awaited<ReturnType<Place['customer']>>;
/** Ends an agent's connection, and waits until nobody is here: the next test's bot must not count on them. */
async function leaves({ client }: Awaited<ReturnType<Place['admin']>>) {
  client.close();
  await until('nobody is here', async () => {
    const seen = await place.customer();
    seen.client.close();
    return seen.client.session?.availability?.admins === false;
  });
}
const say = ({ client }: Guest, message: string) => client.send('customer_message', { type: 'UPDATE_MSG', message });
const ofBot = ({ name, payload }: { name: string; payload: { user?: unknown } }) =>
  name === 'CHAT_MESSAGE' && payload.user === 'bot';
const saidBy = ({ heard }: Guest) => heard.items.filter(ofBot).map(({ payload }) => payload.message);
const hears = async ({ heard }: Guest, count = 1) => (await heard.first(count, ofBot)).map(({ payload }) => payload);

/** An answer that says its first part, and its second once the test lets it. */
function paused() {
  let resume = () => {};
  const gate = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const seen = new Inbox<Conversation>();
  async function* answer(conversation: Conversation) {
    seen.put(conversation);
    yield 'It ';
    await gate;
    yield 'is.';
  }
  return { seen, answer, resume: () => resume() };
}

describe('what a bot takes and knows', () => {
  test('what waited before it came, with all that is known of the customer', async () => {
    const guest = await place.customer();
    await guest.client.send('customer_update', { type: 'UPDATE_USER', message: { name: 'Ada', locale: 'de-DE' } });
    const url = 'https://cars.example/blue';
    await guest.client.send('customer_update', { type: 'UPDATE_PAGEVIEW', message: { url, vin: 'WVW1' } });
    await guest.client.send('customer_update', { type: 'UPDATE_LEAD', message: { phone: '030 1' } });
    const { seq = 0 } = await say(guest, 'Is the blue one there?');
    const seen = new Inbox<Conversation>();
    start((conversation) => {
      seen.put(conversation);
      const content = { kind: 'choices' as const, choices: [{ label: 'New' }, { label: 'Used' }] };
      return { message: 'New or used?', content, ...{ user: 'admin', adminId: 'a1', groupId: 'another' } };
    });
    const [payload] = await hears(guest);
    assert.deepEqual([payload.message, payload.replyTo, payload.waiting], ['New or used?', seq, null]);
    assert.equal(payload.content.choices.length, 2);
    const [asked] = await seen.first(1);
    assert.deepEqual(
      asked?.messages.map(({ user, text }) => [user, text]),
      [['customer', 'Is the blue one there?']],
    );
    assert.equal(asked?.question.seq, seq);
    assert.deepEqual([asked?.customer.name, asked?.lead.phone, asked?.language], ['Ada', '030 1', 'de-DE']);
    assert.deepEqual([asked?.page?.url, asked?.vehicle?.vin], [url, 'WVW1']);
    assert.deepEqual(asked?.availability, { open: true, admins: false });
  });

  test('each message, and those together that came while it answered', async () => {
    const guest = await place.customer();
    const { answer, resume, seen } = paused();
    start((conversation) => (conversation.question.text === 'one' ? answer(conversation) : conversation.question.text));
    await say(guest, 'one');
    await seen.first(1);
    await say(guest, 'two');
    const { seq } = await say(guest, 'three');
    resume();
    const answers = await hears(guest, 2);
    assert.deepEqual(
      answers.map(({ message, waiting }) => [message, waiting?.for]),
      [
        ['It is.', 'bot'],
        ['three', undefined],
      ],
    );
    assert.equal(answers[1].replyTo, seq);
  });

  test('nothing that waits for an agent, until it is handed back', async () => {
    const [guest, admin] = [await place.customer(), await place.admin()];
    const { groupId } = guest;
    await admin.client.send('mute_bot', { type: 'MUTE_BOT', groupId });
    let asked = 0;
    start(() => {
      asked += 1;
      return 'Here I am.';
    });
    await say(guest, 'hello');
    const other = await place.customer();
    await say(other, 'hello');
    await hears(other);
    assert.deepEqual([asked, saidBy(guest)], [1, []]);
    await admin.client.send('mute_bot', { type: 'UNMUTE_BOT', groupId });
    assert.equal((await hears(guest))[0].message, 'Here I am.');
    await leaves(admin);
  });

  test('so many at a time, each in its turn', async () => {
    const guests = await Promise.all([place.customer(), place.customer(), place.customer(), place.customer()]);
    const asked = new Inbox<() => void>();
    let [now, most] = [0, 0];
    const answer = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise<void>((resolve) => asked.put(resolve));
      now -= 1;
      return 'done';
    };
    for (const guest of guests) await say(guest, 'hello');
    start(answer, { concurrency: 2 });
    for (let count = 0; count < guests.length; count += 1) {
      await asked.first(Math.min(count + 2, guests.length));
      asked.items[count]?.();
    }
    await Promise.all(guests.map((guest) => hears(guest)));
    assert.equal(most, 2);
  });

  test('when its connection was cut meanwhile, once', async () => {
    const guest = await place.customer({ url: place.directUrl });
    const { answer, resume, seen } = paused();
    start(answer);
    await say(guest, 'hello');
    await seen.first(1);
    place.proxy.cut();
    resume();
    place.proxy.mend();
    await hears(guest);
    await say(guest, 'again');
    await hears(guest, 2);
    assert.deepEqual(saidBy(guest), ['It is.', 'It is.']);
  });
});

describe('[P-18.2] an answer that grows', () => {
  test('is shown as it grows, and then said', async () => {
    const guest = await place.customer();
    const { answer, resume } = paused();
    start(answer);
    await say(guest, 'hello');
    const shows = (text: string) =>
      guest.heard.first(1, ({ name, payload }) => name === 'TYPING_STATE' && payload.text === text);
    await shows('It ');
    resume();
    assert.equal((await hears(guest))[0].message, 'It is.');
  });

  test('is cut to what a message holds', async () => {
    const guest = await place.customer();
    start(function* () {
      for (;;) yield '🚗'.repeat(100);
    });
    await say(guest, 'hello');
    const [{ message }] = await hears(guest);
    assert.deepEqual([[...message].length, message.endsWith('🚗…')], [4000, true]);
  });
});

describe('a person takes over in the middle of an answer', () => {
  const BY = {
    'with a message': (groupId: string) => ['admin_message', { type: 'UPDATE_MSG', groupId, message: 'I am here.' }],
    'with a mute': (groupId: string) => ['mute_bot', { type: 'MUTE_BOT', groupId }],
    'by an assignment': (groupId: string) => ['assign', { type: 'ASSIGN', groupId, assignee: 'a1' }],
    'by a close': (groupId: string) => ['close_chat', { type: 'CLOSE_CHAT', groupId }],
  } as const;
  for (const [how, act] of Object.entries(BY)) {
    test(`${how}: it is told to stop, and nothing more is said or shown`, async () => {
      const [guest, admin] = [await place.customer(), await place.admin()];
      const { answer, resume, seen } = paused();
      const { bot, lines } = start(answer);
      await say(guest, 'hello');
      const [conversation] = await seen.first(1);
      await guest.heard.first(1, ({ payload }) => payload?.text === 'It ');
      const [channel, payload] = act(guest.groupId);
      const { id } = await admin.client.send(
        ...([channel, payload] as unknown as Parameters<typeof admin.client.send>),
      );
      await until('it is told', async () => conversation?.signal.aborted === true);
      assert.notEqual(id, undefined);
      const before = guest.heard.items.length;
      resume();
      bot.close();
      start(() => 'Again.'); // a start anew does not give it either
      const other = await place.customer();
      await say(other, 'hello');
      await hears(other);
      assert.deepEqual(saidBy(guest), []);
      const later = guest.heard.items.slice(before).filter(named('TYPING_STATE'));
      assert.deepEqual([later, lines], [[], []]);
      await leaves(admin);
    });
  }
});

describe('[P-12.8] a hand-off', () => {
  const handOffs = (crm: Awaited<ReturnType<Place['crm']>>, guest: Guest) =>
    crm.heard.first(1, ({ payload }) => payload?.type === 'HANDOFF' && payload.groupId === guest.groupId);

  test('is asked for by the answer, which may say something all the same', async () => {
    const [crm, guest, admin] = [await place.crm(), await place.customer(), await place.admin()];
    start(
      async ({ handOff }) => {
        await handOff('wants a person');
        return 'I am getting somebody.';
      },
      { askContact: 'Your number?' },
    );
    await say(guest, 'a person, please');
    const [told] = await handOffs(crm, guest);
    assert.deepEqual([told?.payload.reason, told?.payload.waiting.for], ['wants a person', 'admin']);
    const [said] = await hears(guest);
    assert.deepEqual([said.message, said.waiting.for], ['I am getting somebody.', 'admin']);
    await say(guest, 'are you there?');
    await crm.heard.first(1, ({ payload }) => payload?.message === 'are you there?');
    assert.equal(saidBy(guest).length, 1, 'somebody is here: nobody is asked for a number');
    await leaves(admin);
  });

  const never = new Promise<string>(() => {});
  const FAILURES: Readonly<Record<string, readonly [() => Answer | Promise<Answer>, reason: string, line: RegExp]>> = {
    'that throws': [
      () => {
        throw new SyntaxError('hello is no JSON');
      },
      'the bot failed',
      /^bot: SyntaxError: a person is asked for$/,
    ],
    'that is too late': [() => never, 'the bot had no answer in time', /^bot: no answer in time: a person/],
    'that says nothing': [() => undefined, 'the bot failed', /^bot: RangeError: /],
    'that no message may hold': [
      () => ({ message: 'x', content: { kind: 'choices', choices: [] } }),
      'the bot failed',
      /^bot: invalid_payload \/content/,
    ],
  };
  for (const [what, [answer, reason, line]] of Object.entries(FAILURES)) {
    test(`comes of an answer ${what}; where nobody is there, the customer is asked for a contact, once`, async () => {
      const [crm, guest] = [await place.crm(), await place.customer()];
      const { lines } = start(answer, { timeLimit: 200, askContact: () => 'Your name and number?' });
      await say(guest, 'hello');
      const [told] = await handOffs(crm, guest);
      assert.equal(told?.payload.reason, reason);
      await hears(guest);
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? '', line);
      await say(guest, '030 1');
      await crm.heard.first(1, ({ payload }) => payload?.message === '030 1');
      assert.deepEqual(saidBy(guest), ['Your name and number?']);
    });
  }
});

describe('[P-13.2] hours', () => {
  test('are told to the answer, as they are then', async () => {
    await settle({ hours: [] });
    const seen = new Inbox<Conversation>();
    start((conversation) => {
      seen.put(conversation);
      return 'We are closed.';
    });
    const guest = await place.customer();
    await say(guest, 'hello');
    await hears(guest);
    const admin = await place.admin();
    await until('it is known', async () => {
      await say(guest, 'and now?');
      return seen.items.some(({ availability }) => availability.admins);
    });
    assert.deepEqual(seen.items[0]?.availability, { open: false, admins: false });
    await leaves(admin);
    await settle({});
  });
});

describe('createBot', () => {
  const good = { url: 'ws://127.0.0.1:1/ws', token: 'x', dealerId: 'd1', answer: () => '' };
  const WRONG = {
    url: 'http://127.0.0.1/ws',
    token: 7,
    dealerId: undefined,
    answer: 'hello',
    concurrency: 0,
    timeLimit: '1',
  };
  for (const [name, value] of Object.entries(WRONG)) {
    test(`says what ${name} must be`, () => {
      const options = { ...good, [name]: value };
      assert.throws(
        () => createBot(options as BotOptions),
        new RegExp(`^TypeError: ${name}: must be .*; it is ${typeof value}$`),
      );
    });
  }

  test('says that the server does not want it', async () => {
    const lines = new Inbox<string>();
    start(() => '', { token: 'x.y.z', dealerId: DEALER, log: lines.put });
    const isClosing = (line: string) => line.includes('4401');
    assert.equal((await lines.first(1, isClosing)).length, 1);
  });
});
