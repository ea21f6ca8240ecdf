/** The same id is stored once, however often and wherever it is said [P-8.4]. */
import type { Answer, Guest } from './guest.ts';
import { type House, inHouse, onTwoNodes, range, says } from './house.ts';
import type { Ledger, Scenarios } from './scenario.ts';

const IDS = range(150).map((n) => `k${n}`);

const sayAll = (guest: Guest) =>
  Promise.all(IDS.map((id) => guest.ask('customer_message', { type: 'UPDATE_MSG', message: `says ${id}` }, id)));

/** Checks that each id was stored once, acked as new once, and to everybody else as the repeat of just that one. */
async function checkOnce(ledger: Ledger, house: House, answers: readonly Answer[][]): Promise<void> {
  const log = await house.log('g1');
  ledger.equal(log.map(({ id }) => id).sort(), [...IDS].sort(), 'the ids that are stored');
  for (const [index, id] of IDS.entries()) {
    const acks = answers.map((each) => each[index]);
    ledger.equal(acks.filter((ack) => ack?.duplicate === false).length, 1, `first acks of ${id}`);
    const seq = log.find((event) => event.id === id)?.seq;
    ledger.equal([...new Set(acks.map((ack) => ack?.seq))], [seq], `the seq that acks of ${id} name`);
  }
}

export const ids: Scenarios = {
  /** Forty tabs of one customer say the same ids at the same time. */
  'duplicate-ids-from-many-sockets': ({ ledger }) =>
    inHouse({}, async (house) => {
      const tabs = await Promise.all(range(40).map(() => house.customer('g1')));
      await checkOnce(ledger, house, await Promise.all(tabs.map(sayAll)));
      for (const tab of tabs) {
        await tab.sees('g1', IDS.length);
        ledger.equal(tab.faults, [], 'breaks of order');
      }
    }),

  /** The same over two nodes, on one Postgres. */
  'duplicate-ids-over-two-nodes': (stage) =>
    onTwoNodes(stage, async (one, other) => {
      const tabs = await Promise.all(range(12).map((n) => (n % 2 === 0 ? one : other).customer('g1')));
      await checkOnce(stage.ledger, one, await Promise.all(tabs.map(sayAll)));
      for (const tab of tabs) {
        await tab.sees('g1', IDS.length);
        stage.ledger.equal(tab.faults, [], 'breaks of order');
      }
    }),

  /** The same id of different senders, and of one sender in different groups, is not the same. */
  'equal-ids-of-others': ({ ledger }) =>
    inHouse({}, async (house) => {
      const customers = await Promise.all(range(50).map((n) => house.customer(`g${n}`)));
      const admins = await Promise.all(range(10).map((n) => house.admin(`a${n}`)));
      const said = await Promise.all([
        ...customers.map((guest) => guest.ask('customer_message', { type: 'UPDATE_MSG', message: 'Hi' }, 'k')),
        ...admins.map((guest) => guest.ask('admin_message', { type: 'UPDATE_MSG', groupId: 'g0', message: 'Hi' }, 'k')),
      ]);
      ledger.equal(said.filter(({ duplicate }) => duplicate === false).length, 60, 'stored');
      ledger.equal((await house.log('g0')).filter(({ id }) => id === 'k').length, 11, 'of them in one group');
    }),

  /** Sockets are cut before their acks come; what was not acked is said again until it is. */
  'said-again-after-a-break': ({ ledger, dice }) =>
    inHouse({}, async (house) => {
      const one = async (_: unknown, index: number) => {
        const groupId = `g${index}`;
        const left = new Set(range(60).map((n) => `m${n}`));
        const acked = new Map<string, number>();
        while (left.size > 0) {
          const guest = await house.customer(groupId);
          const frames = [...left].slice(0, 1 + dice.below(12));
          for (const id of frames) guest.send('customer_message', { type: 'UPDATE_MSG', message: id }, id);
          const waitsFor = dice.below(frames.length + 1);
          await guest.until(() => [...left].filter((id) => guest.answers.has(id)).length >= waitsFor, 'acks');
          await guest.cut();
          for (const [id, { seq }] of guest.answers) {
            if (left.delete(id)) acked.set(id, seq ?? 0);
          }
        }
        const log = await house.log(groupId);
        ledger.equal(log.length, 60, `stored of ${groupId}`);
        for (const { id, seq } of log) ledger.equal(acked.get(id), seq, `the seq acked of ${id}`);
      };
      await Promise.all(range(30).map(one));
    }),

  /** A CRM that does not trust its network posts the same batch five times at once. */
  'posted-five-times': ({ ledger }) =>
    inHouse({}, async (house) => {
      const batch = range(1000).map((n) => says(`g${n % 7}`, `m ${n}`, { id: `b${n}` }));
      const posts = await Promise.all(range(5).map(() => house.post(batch)));
      const lengths = await Promise.all(range(7).map(async (n) => (await house.log(`g${n}`)).length));
      ledger.equal(
        lengths.reduce((sum, length) => sum + length, 0),
        1000,
        'stored',
      );
      for (const n of range(1000)) {
        const seqs = new Set(posts.map((results) => results[n]?.seq));
        ledger.that(seqs.size === 1 && !seqs.has(undefined), `the seq of b${n} is the same in every answer`);
      }
    }),
};
