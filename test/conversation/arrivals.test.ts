import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Arrivals, type Reader } from '../../src/conversation/arrivals.ts';
import { BATCH } from '../../src/journal/weights.ts';
import type { Client } from '../support/client.ts';
import { DEALER, type TestServer, withServer } from '../support/server.ts';

const KIB = 1024;
/** What a turn reads, in frames of a KiB. */
const IN_A_TURN = BATCH / KIB;

let arrivals: Arrivals;
/** What was read, in order, as the socket's name and the frame's first word. */
let read: string[];

beforeEach(() => {
  arrivals = new Arrivals();
  read = [];
});

class Socket implements Reader {
  readonly name: string;
  dealerId: string;
  sender: string;
  isPaused = false;
  readonly #arrivals = arrivals;
  readonly #read = read;

  constructor(name: string, dealerId: string, sender = name) {
    this.name = name;
    this.dealerId = dealerId;
    this.sender = sender;
  }

  read(frame: Buffer): void {
    this.#read.push(`${this.name} ${frame.toString().trim()}`);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  sends(count: number): void {
    for (let n = 0; n < count; n += 1) this.#arrivals.arrive(this, Buffer.from(String(n).padEnd(KIB)));
  }
}

const countOf = (name: string) => read.filter((line) => line.startsWith(`${name} `)).length;

describe('frames of all sockets', () => {
  test('are read at once, as long as there are few', () => {
    const socket = new Socket('a', 'd1');
    socket.sends(IN_A_TURN);
    assert.equal(countOf('a'), IN_A_TURN);
  });

  test('wait where a turn has had its fill, and the next reads as many', async () => {
    const flood = new Socket('flood', 'd1');
    flood.sends(3 * IN_A_TURN);
    for (const turns of [1, 2, 3, 3]) {
      assert.equal(countOf('flood'), turns * IN_A_TURN);
      await turn();
    }
  });

  test('are read in the order of their socket, though it joins meanwhile', async () => {
    const socket = new Socket('a', '');
    socket.sends(IN_A_TURN + 2);
    socket.dealerId = 'd1';
    arrivals.arrive(socket, Buffer.from('last'));
    new Socket('b', 'd1').sends(2 * IN_A_TURN);
    while (countOf('a') < IN_A_TURN + 3) await turn();
    const order = read.filter((line) => line.startsWith('a '));
    assert.deepEqual(order, [...Array.from({ length: IN_A_TURN + 2 }, (_, n) => `a ${n}`), 'a last']);
  });

  test("of a dealer who sends little are read at once, whatever another's have sent", () => {
    new Socket('flood', 'd1').sends(4 * IN_A_TURN);
    new Socket('other', 'd2').sends(1);
    assert.equal(countOf('other'), 1);
  });

  test('of dealers, and of those who send within one, are read in turn', async () => {
    const flood = new Socket('flood', 'd1');
    flood.sends(10 * IN_A_TURN);
    const [colleague, other] = [new Socket('colleague', 'd1'), new Socket('other', 'd2')];
    for (const socket of [colleague, other]) socket.sends(30);
    await turn();
    assert.equal(countOf('other'), 30);
    assert.equal(countOf('colleague'), 30);
  });

  test('that wait hold their socket up, until all of its have been read', async () => {
    const flood = new Socket('flood', 'd1');
    flood.sends(IN_A_TURN + 1);
    assert.equal(flood.isPaused, false, 'one frame is no flood');
    flood.sends(IN_A_TURN);
    assert.equal(flood.isPaused, true);
    await turn();
    assert.equal(flood.isPaused, true);
    await turn();
    assert.equal(flood.isPaused, false);
    assert.equal(countOf('flood'), 2 * IN_A_TURN + 1);
  });

  test('are read at once where too many wait for memory to hold them', () => {
    const sockets = Array.from({ length: 300 }, (_, n) => new Socket(`s${n}`, 'd1'));
    for (const socket of sockets) socket.sends(64);
    const late = new Socket('late', 'd1');
    late.sends(1);
    assert.equal(countOf('late'), 1);
    assert.ok(read.length < 4 * KIB, `most wait: ${read.length} were read`);
  });
});

/** A bot that has joined over the network, and whose frames leave together. */
async function botOf(server: TestServer): Promise<Client> {
  const bot = await server.dial(await server.listen());
  const token = server.token('server', 'crm');
  bot.send('server_join', { type: 'SERVER_JOIN', dealerId: DEALER, token });
  await bot.next('session');
  return bot;
}

describe('frames of a socket that closes', () => {
  /** As many as come in one piece of what the network hands over. */
  const COUNT = 500;
  /** More than a turn reads: those behind them wait. */
  const IN_TIME = 300;
  const say = (bot: Client) => bot.send('event', { type: 'UPDATE_MSG', groupId: 'g1', user: 'bot', message: 'x' });

  test('are all stored, though more came with its close than a turn reads', () =>
    withServer({ timing: { closeTimeout: 500 } }, async (server) => {
      const witness = await server.admin();
      const bot = await botOf(server);
      const stream = Reflect.get(bot.socket, '_socket');
      stream.cork();
      for (let n = 0; n < COUNT; n += 1) say(bot);
      bot.socket.close();
      stream.uncork();
      await bot.closed;
      await witness.next(({ channel, seq }) => channel === 'CHAT_MESSAGE' && seq === COUNT);
    }));

  test('are read no more once this side has closed it', () =>
    withServer({}, async (server) => {
      const bot = await botOf(server);
      const stream = Reflect.get(bot.socket, '_socket');
      stream.cork();
      for (let n = 0; n < IN_TIME; n += 1) say(bot);
      for (let n = 0; n < 20; n += 1) bot.socket.send('garbage');
      for (let n = IN_TIME; n < COUNT; n += 1) say(bot);
      stream.uncork();
      assert.equal(await bot.closed, 4400);
      await turn();
      assert.equal((await server.store.tails(DEALER, ['g1'])).get('g1'), IN_TIME);
    }));
});
