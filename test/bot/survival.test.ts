/** [P-8.4] Each message is answered once, whatever becomes of the bot: `kill -9` again and again, and three side by side. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chance } from '../support/chance.ts';
import type { Frame } from '../support/frame.ts';
import { Process, typescript } from '../support/process.ts';
import { Place } from '../support/sdk.ts';
import { DEALER } from '../support/server.ts';

const SCRIPT = fileURLToPath(new URL('../support/bot-process.ts', import.meta.url));
const CUSTOMERS = 4;
const KILLS = 8;

/** Whether two messages come at once: they may be answered together. */
const isTwice = (index: number) => index % 3 === 2;

type Guest = Awaited<ReturnType<Place['customer']>>;

/** A place, its customers, and the bots' processes that are started in it. */
class Scene {
  readonly place: Place;
  readonly guests: readonly Guest[];
  readonly #bots: Process[] = [];

  constructor(place: Place, guests: readonly Guest[]) {
    this.place = place;
    this.guests = guests;
  }

  startBot(partMs: number): Process {
    const token = this.place.server.token('server', 'bot');
    const env = { TELLE_URL: this.place.directUrl, TELLE_TOKEN: token, PART_MS: String(partMs) };
    const bot = new Process(typescript(SCRIPT), [], { env, patience: 120_000 });
    this.#bots.push(bot);
    return bot;
  }

  async end(): Promise<void> {
    await Promise.all(this.#bots.map((bot) => bot.kill()));
    await this.place.close();
  }
}

/** Says one message after the other: each when the one before was answered, now and then two at once. */
async function talk({ client, heard }: Guest, name: string, isOver: (index: number) => boolean): Promise<void> {
  let answered = 0;
  let wake = () => {};
  heard.listen(({ payload }) => {
    if (payload?.user !== 'bot') return;
    answered = Math.max(answered, payload.replyTo ?? 0);
    wake();
  });
  const say = (message: string) => client.send('customer_message', { type: 'UPDATE_MSG', message });
  for (let index = 0; !isOver(index); index += 1) {
    if (isTwice(index)) await say(`${name} ${index} first`);
    const { seq = 0 } = await say(`${name} ${index}`);
    // As long as it takes: a bot is killed meanwhile, and starts anew.
    while (answered < seq) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

async function logOf(place: Place, groupId: string): Promise<Frame[]> {
  const token = place.server.token('admin', 'a1');
  const url = `/v1/dealers/${DEALER}/scopes/${groupId}/events?limit=200`;
  const { body } = await place.server.http('GET', url, { token });
  return body.items.filter(({ payload }: Frame) => payload.type === 'CHAT_MSG');
}

/** Holds a conversation to it: each answer is to another message, the last of all is answered, and what is said is of the message. */
async function check(place: Place, { groupId }: Guest): Promise<void> {
  const log = await logOf(place, groupId);
  const answers = log.filter(({ payload }) => payload.user === 'bot');
  const asked = new Map(
    log.filter(({ payload }) => payload.user === 'customer').map(({ seq, payload }) => [seq, payload.message]),
  );
  const answered = answers.map(({ payload }) => payload.replyTo);
  assert.equal(new Set(answered).size, answered.length, `${groupId}: answered once: ${answered}`);
  for (const { payload } of answers) assert.equal(payload.message, `You said: ${asked.get(payload.replyTo)}`);
  const alone = [...asked].filter(([, text]) => !isTwice(Number(text.split(' ')[1]))).map(([seq]) => seq);
  assert.deepEqual(
    alone.filter((seq) => !answered.includes(seq)),
    [],
    'each that came alone is answered',
  );
}

async function withScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  const place = await Place.open();
  const guests = await Promise.all(Array.from({ length: CUSTOMERS }, () => place.customer()));
  await place.server.store.putDealer(DEALER, { origins: ['*'], bot: true, answerWithin: { bot: 3600 } });
  const scene = new Scene(place, guests);
  try {
    await use(scene);
    for (const guest of guests) await check(place, guest);
  } finally {
    await scene.end();
  }
}

/** Has each customer say so many messages. */
const talkAll = ({ guests }: Scene, count: number) =>
  Promise.all(guests.map((guest, index) => talk(guest, `c${index}`, (said) => said === count)));

test('a bot that is killed again and again answers each message once', (t) =>
  withScene(async (scene) => {
    const seed = Number(process.env.BOT_SEED ?? randomInt(2 ** 31));
    t.diagnostic(`BOT_SEED=${seed}`);
    const random = chance(seed);
    let isOver = false;
    const talks = talkAll(scene, 40).then(() => {
      isOver = true;
    });
    let kills = 0;
    for (; kills < KILLS && !isOver; kills += 1) {
      const bot = scene.startBot(20);
      await Promise.race([talks, bot.says(/^asked .*\n/m)]);
      await new Promise((resolve) => setTimeout(resolve, random() * 150));
      await bot.kill('SIGKILL');
    }
    assert.ok(!isOver, `it was still asked after ${kills} kills`);
    scene.startBot(5);
    await talks;
  }));

test('three side by side answer each message once, though each is asked', (t) =>
  withScene(async (scene) => {
    const bots = [0, 1, 2].map(() => scene.startBot(10));
    // Whoever was asked is there.
    await talk(await scene.place.customer(), 'first', () => bots.every(({ stdout }) => stdout.includes('asked')));
    await talkAll(scene, 6);
    const asked = bots.flatMap(({ stdout }) => stdout.match(/^asked c.*$/gm) ?? []);
    t.diagnostic(`${asked.length} times asked, ${new Set(asked).size} messages`);
    assert.ok(asked.length > new Set(asked).size, 'they ran side by side');
  }));
