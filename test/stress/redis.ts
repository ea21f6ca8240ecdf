/** Redis between the nodes and to other servers: it may go and come, repeat and reorder; nobody notices [P-8.5, P-8.6]. */
import { Outside } from '../support/outside.ts';
import { RedisProxy } from '../support/proxy.ts';
import { DEALER } from '../support/server.ts';
import { eventually, type House, onTwoNodes, range, says } from './house.ts';
import type { Scenarios, Stage } from './scenario.ts';

/** Two nodes, and another server beside them. */
const besideTwoNodes = (stage: Stage, use: (outside: Outside, one: House, other: House) => Promise<void>) =>
  onTwoNodes(stage, async (one, other, prefix) => {
    const outside = new Outside(stage.redis, prefix);
    try {
      await outside.nodesListen(2);
      await use(outside, one, other);
    } finally {
      outside.close();
    }
  });

const lengthOf = async (house: House, groups: readonly string[]): Promise<number> => {
  const tails = await house.tails(...groups);
  return [...tails.values()].reduce((sum, seq) => sum + seq, 0);
};

export const redis: Scenarios = {
  /** Redis goes and comes fifteen times while both nodes speak: every socket has everything, once, in order. */
  'redis-flapping': async (stage) => {
    const { ledger, dice } = stage;
    const proxy = await RedisProxy.to(stage.redis);
    try {
      await onTwoNodes({ ...stage, redis: proxy.url }, async (one, other) => {
        const houses = [one, other];
        const groups = range(6).map((n) => `g${n}`);
        const guests = await Promise.all([
          ...houses.flatMap((house) => groups.map((groupId) => house.customer(groupId))),
          ...houses.map((house, n) => house.admin(`a${n}`)),
        ]);
        let isOver = false;
        const speak = async (house: House) => {
          for (let n = 0; !isOver; n += 1) {
            const results = await house.post(groups.map((groupId) => says(groupId, `m ${n}`)));
            ledger.count(results.length);
            if (results.some(({ seq }) => seq === undefined)) ledger.that(false, 'a message was refused');
          }
        };
        const speaking = houses.map(speak);
        for (const _ of range(15)) {
          await new Promise((resolve) => setTimeout(resolve, dice.below(80)));
          if (dice.once(4)) proxy.swallow();
          else proxy.cut();
          await new Promise((resolve) => setTimeout(resolve, dice.below(120)));
          proxy.mend();
        }
        isOver = true;
        await Promise.all(speaking);
        const tails = await one.tails(...groups);
        for (const guest of guests) {
          for (const [groupId, tail] of tails) {
            const { role } = guest.session;
            if (role === 'admin' || guest.session.groupId === groupId) await guest.sees(groupId, tail);
          }
          ledger.equal(guest.faults, [], 'breaks of order');
          ledger.equal(guest.isOpen, true, 'its socket');
        }
      });
    } finally {
      await proxy.close();
    }
  },

  /** 1,500 entries of a stream, some of them twice and some bad: each good one once, each bad one kept, nothing left. */
  'stream-exactly-once': (stage) =>
    besideTwoNodes(stage, async (outside, one) => {
      const { ledger, dice } = stage;
      const groups = range(10).map((n) => `g${n}`);
      const good = range(1000).map((n) => says(groups[n % 10] ?? '', `m ${n}`, { id: `s${n}` }));
      const repeats = range(400).map(() => dice.pick(good));
      const bad = range(100).map((n) => (n % 2 ? { type: 'NONSENSE', n } : { ...says('g0', ''), n }));
      await Promise.all(dice.shuffled<object>([...good, ...repeats, ...bad]).map((event) => outside.add(event)));
      await eventually('the stream is empty', async () => (await outside.length()) === 0);
      ledger.equal(await outside.stream(), { length: 0, pending: 0 }, 'left in the stream');
      ledger.count(1500);
      ledger.equal(await lengthOf(one, groups), 1000, 'stored');
      const letters = await one.server.store.deadLetters('', { limit: 10_000 });
      ledger.equal(letters.length, 100, 'dead letters');
    }),

  /** What a node had read when it died, long ago, is taken by those that live. */
  'stream-of-a-dead-node': async (stage) => {
    const { ledger, redis: url } = stage;
    const beside: Outside[] = [];
    const prepare = async (prefix: string) => {
      const outside = new Outside(url, prefix);
      beside.push(outside);
      for (const n of range(80)) await outside.add(says('g0', `m ${n}`, { id: `s${n}` }));
      await outside.readAndDie('a node that died');
      for (const n of range(50, 80)) await outside.add(says('g0', `m ${n}`, { id: `s${n}` }));
    };
    const check = async (house: House) => {
      const [outside] = beside;
      if (!outside) throw new Error('nobody is beside');
      ledger.count(130);
      await eventually('the stream is empty', async () => (await outside.length()) === 0);
      ledger.equal(await outside.stream(), { length: 0, pending: 0 }, 'left in the stream');
      ledger.equal((await house.log('g0')).length, 130, 'stored');
    };
    try {
      await onTwoNodes(stage, check, { prepare });
    } finally {
      for (const outside of beside) outside.close();
    }
  },

  /** 600 events are published, and heard by both nodes: each is taken once. */
  'channel-once': (stage) =>
    besideTwoNodes(stage, async (outside, one, other) => {
      const { ledger } = stage;
      const witnesses = await Promise.all([one.admin('a1'), other.admin('a2')]);
      const groups = range(10).map((n) => `g${n}`);
      const heard = await Promise.all(range(600).map((n) => outside.publish(says(groups[n % 10] ?? '', `m ${n}`))));
      ledger.equal([...new Set(heard)], [2], 'how many nodes heard each');
      await eventually('all are stored', async () => (await lengthOf(one, groups)) >= 600);
      for (const witness of witnesses) {
        for (const groupId of groups) await witness.sees(groupId, 60);
        await witness.settled();
        ledger.equal(witness.of('CHAT_MESSAGE').length, 600, 'what an admin saw');
        ledger.equal(witness.faults, [], 'breaks of order');
      }
      ledger.count(600);
      ledger.equal(await lengthOf(one, groups), 600, 'stored');
    }),

  /** Anybody may publish anything where nodes speak among themselves: sockets go on, and see nothing of it twice. */
  'nonsense-between-nodes': (stage) =>
    onTwoNodes(stage, async (one, other, prefix) => {
      const { ledger, dice } = stage;
      const outside = new Outside(stage.redis, prefix);
      const [guest, witness] = await Promise.all([one.customer('g1'), other.customer('g1')]);
      const nonsense = [
        '',
        '{',
        'null',
        '[]',
        '7',
        '{}',
        '{"scope":"g1"}',
        '{"payload":null}',
        '["*"]',
        `["${DEALER}"]`,
      ];
      for (const n of range(300)) {
        const channel = dice.pick([`dealer:${DEALER}`, 'resync']);
        await outside.redis.publish(`${prefix}${channel}`, dice.pick(nonsense));
        if (n % 3 === 0) await guest.ask('customer_message', { type: 'UPDATE_MSG', message: `m ${n}` });
      }
      await witness.sees('g1', 100);
      // What says that it is stored and has been seen already is not seen again.
      for (const text of witness.texts.filter((each) => each.includes('CHAT_MESSAGE'))) {
        await outside.redis.publish(`${prefix}dealer:${DEALER}`, text);
      }
      await guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'the last' });
      await witness.sees('g1', 101);
      ledger.count(400);
      ledger.equal([guest.faults, witness.faults], [[], []], 'breaks of order');
      ledger.equal(witness.of('CHAT_MESSAGE').length, 101, 'what a witness saw');
      outside.close();
    }),
};
