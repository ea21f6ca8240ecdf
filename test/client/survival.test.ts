/** `telle/client`, as its promise has it: each message once, in order, whatever becomes of servers and connections. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { connect } from '../../src/client/index.ts';
import type { AckPayload, Client, SocketClass } from '../../src/client/types.ts';
import { chance } from '../support/chance.ts';
import type { Frame } from '../support/frame.ts';
import { RedisProxy } from '../support/proxy.ts';
import { RestartingServer } from '../support/restarting-server.ts';
import { listen, named } from '../support/sdk.ts';
import { inFolder } from '../support/server.ts';

const DEALER = 'demo';
const SECRET = 'only this test knows it and it is long enough';
/** Messages of each of the two. */
const MESSAGES = 2500;
/** Sends of each that wait for their acks. */
const WINDOW = 16;
const KILLS = 15;
const CUTS = 35;

/** What a strike hits. */
type Target = 'server' | Side['name'] | 'both';

/** One of the two who talk: its client, its own way to the server, and what it was told. */
class Side {
  readonly name: 'customer' | 'admin';
  readonly proxy: RedisProxy;
  /** The class of its sockets: it counts, and says when a message has just gone out. */
  readonly WebSocket: SocketClass;
  readonly acks: AckPayload[] = [];
  sends = 0;
  sockets = 0;
  /** Own messages that came as events, since their acks were lost. */
  lostAcks = 0;

  constructor(name: Side['name'], proxy: RedisProxy, onSend: () => void) {
    this.name = name;
    this.proxy = proxy;
    const side = this;
    this.WebSocket = class extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        side.sockets += 1;
        this.on('message', (data) => {
          const { channel, payload } = JSON.parse(String(data));
          if (channel === 'CHAT_MESSAGE' && payload.user === side.name) side.lostAcks += 1;
        });
      }
      override send(text: string): void {
        super.send(text);
        if (!text.includes(`"${side.name}_message"`)) return;
        side.sends += 1;
        onSend();
      }
    };
  }

  get options() {
    const url = `ws://${new URL(this.proxy.url).host}/ws`;
    return { url, dealerId: DEALER, pace: false, backoff: { first: 20, most: 100 }, WebSocket: this.WebSocket };
  }

  /** Says everything, so many at a time. */
  async talk(say: (message: string) => Promise<AckPayload>): Promise<void> {
    const sends: Promise<unknown>[] = [];
    for (let index = 0; index < MESSAGES; index += 1) {
      await sends[index - WINDOW];
      sends.push(say(`${this.name} ${index}`).then((ack) => this.acks.push(ack)));
    }
    await Promise.all(sends);
  }

  cut(): void {
    this.proxy.cut();
    this.proxy.mend();
  }
}

/** What is to be hit, after how many more messages, and how many turns of the event loop after the last of them. */
function plan(random: () => number): { target: Target; after: number; turns: number }[] {
  const cuts: Target[] = ['customer', 'admin', 'both'];
  const targets = Array.from({ length: KILLS + CUTS }, (_, index): Target => {
    return index < KILLS ? 'server' : (cuts[index % cuts.length] ?? 'both');
  });
  return targets
    .map((target) => ({ target, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ target }) => ({ target, after: 20 + Math.floor(random() * 120), turns: Math.floor(random() * 4) }));
}

/** The group's messages as the server has them: their texts, by seq. */
async function readLog(port: number, groupId: string, token: string): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  for (let next: string | null = 'after=0'; next !== null; ) {
    const url: string = `http://127.0.0.1:${port}/v1/dealers/${DEALER}/scopes/${groupId}/events?limit=200&${next}`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const page: { items: Frame[]; next: string | null } = JSON.parse(await response.text());
    for (const { seq = 0, payload } of page.items) if (payload.type === 'CHAT_MSG') texts.set(seq, payload.message);
    next = page.next && `cursor=${page.next}`;
  }
  return texts;
}

const isAscending = (seqs: readonly (number | undefined)[]) =>
  seqs.every((seq, index) => index === 0 || Number(seq) > Number(seqs[index - 1]));

async function survive(t: TestContext, folder: string): Promise<void> {
  const seed = Number(process.env.SURVIVAL_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SURVIVAL_SEED=${seed}`);
  const strikes = plan(chance(seed));
  const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
  const server = await RestartingServer.make({ DATABASE_URL, AUTH_SECRET: SECRET, RATE_LIMIT: 'off' });
  await server.start();

  const struck = { server: 0, customer: 0, admin: 0, both: 0 };
  let isAtWork: Promise<void> | null = null;
  let countdown = strikes[0]?.after ?? 0;
  const sides: Side[] = [];
  const strike = async (target: Target, turns: number) => {
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    struck[target] += 1;
    for (const side of sides) if (target === side.name || target === 'both') side.cut();
    if (target !== 'server') return;
    await server.kill();
    await server.start();
  };
  const onSend = () => {
    const [next] = strikes;
    countdown -= 1;
    if (!next || countdown > 0 || isAtWork) return;
    strikes.shift();
    countdown = strikes[0]?.after ?? 0;
    isAtWork = strike(next.target, next.turns).finally(() => {
      isAtWork = null;
    });
  };

  const target = `redis://127.0.0.1:${server.port}`;
  const [customer, admin] = [
    new Side('customer', await RedisProxy.to(target), onSend),
    new Side('admin', await RedisProxy.to(target), onSend),
  ];
  sides.push(customer, admin);
  const exp = secondsFromNow(3600);
  const token = await new Tokens([SECRET]).sign({ role: 'admin', dealer: DEALER, sub: 'alice', exp });
  const guest = connect({ ...customer.options, role: 'customer' });
  const agent = connect({ ...admin.options, role: 'admin', adminId: 'alice', token });
  try {
    const told = { customer: listen(guest), admin: listen(agent) };
    await Promise.all([told.customer.first(1, named('session')), told.admin.first(1, named('session'))]);
    const groupId = guest.session?.groupId ?? '';
    const began = performance.now();
    await talk(guest, agent, groupId, customer, admin);
    await isAtWork;
    const seconds = (performance.now() - began) / 1000;
    // What the other said last may still be on its way.
    await Promise.all([
      told.customer.first(MESSAGES, named('CHAT_MESSAGE')),
      told.admin.first(MESSAGES, named('CHAT_MESSAGE')),
    ]);

    const log = await readLog(server.port, groupId, token);
    assert.equal(log.size, 2 * MESSAGES);
    for (const side of sides) {
      const other = side.name === 'customer' ? 'admin' : 'customer';
      const heard = told[side.name].items.filter(named('CHAT_MESSAGE'));
      const own = side.acks.map(({ seq = 0 }, index) => [seq, `${side.name} ${index}`] as const);
      const others = heard.map(({ stamp, payload }) => [stamp?.seq ?? 0, String(payload.message)] as const);
      assert.ok(isAscending(own.map(([seq]) => seq)), `${side.name}: own messages are acked in order`);
      assert.ok(isAscending(others.map(([seq]) => seq)), `${side.name}: the other's messages come in order`);
      assert.deepEqual(
        others.map(([, text]) => text),
        Array.from({ length: MESSAGES }, (_, index) => `${other} ${index}`),
      );
      assert.equal(own.length + others.length, 2 * MESSAGES);
      assert.deepEqual(new Map([...own, ...others].sort(([a], [b]) => a - b)), log, `${side.name} has seen the log`);
      for (const name of ['gap', 'closed'] as const) assert.equal(told[side.name].items.some(named(name)), false);
      t.diagnostic(
        `${side.name}: saw ${own.length + others.length} messages, each once, in order (${own.length} own, acked; ` +
          `${others.length} of the other's); ${side.sockets} connections, ${side.sends - MESSAGES} frames sent again, ` +
          `${side.lostAcks} acks lost`,
      );
    }
    assert.deepEqual([struck.server, struck.customer + struck.admin + struck.both], [KILLS, CUTS]);
    t.diagnostic(`${KILLS} times kill -9, ${CUTS} times cut (${JSON.stringify(struck)}), in ${seconds.toFixed(1)} s`);
  } finally {
    guest.close();
    agent.close();
    await isAtWork;
    await server.kill();
    for (const { proxy } of sides) await proxy.close();
  }
}

/** The two talk to each other, until everything is acked. */
async function talk(
  guest: Client<'customer'>,
  agent: Client<'admin'>,
  groupId: string,
  customer: Side,
  admin: Side,
): Promise<void> {
  await Promise.all([
    customer.talk((message) => guest.send('customer_message', { type: 'UPDATE_MSG', message })),
    admin.talk((message) => agent.send('admin_message', { type: 'UPDATE_MSG', groupId, message })),
  ]);
}

test(
  'two sides that exchange 5,000 messages see each once, in order, over 50 killed servers and cut connections',
  {
    timeout: 180_000, // a bound on hanging: it takes a tenth of that, where nobody else wants the machine
  },
  (t) => inFolder((folder) => survive(t, folder)),
);
