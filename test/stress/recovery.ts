/** Coming back with `since` [P-3.6]: no gap, no duplicate, no reordering, all or nothing. */
import { DEALER } from '../support/server.ts';
import type { Guest } from './guest.ts';
import { type House, inHouse, onTwoNodes, range, says } from './house.ts';
import type { Ledger, Scenarios } from './scenario.ts';

/** Says so many messages in each group, over HTTP. */
const fill = (house: House, groups: readonly string[], count: number, word = 'm') =>
  house.post(range(count).flatMap((n) => groups.map((groupId) => says(groupId, `${word} ${n}`))));

const tailOf = async (house: House, scope: string): Promise<number> =>
  (await house.server.store.tails(DEALER, [scope])).get(scope) ?? 0;

/** The seqs that a guest was sent of a scope, events and first acks alike. */
const seqsOf = ({ frames }: Guest, scope: string): number[] =>
  frames.flatMap((frame) => {
    const at = frame.channel === 'ack' ? frame.payload : frame;
    return at.scope === scope && typeof at.seq === 'number' && !at.duplicate ? [at.seq] : [];
  });

/** Checks that a guest was sent exactly the seqs after `since` up to `tail`, in order. */
function checkWhole(ledger: Ledger, guest: Guest, scope: string, since: number, tail: number): void {
  const expected = range(tail - since).map((index) => since + 1 + index);
  ledger.equal(seqsOf(guest, scope), expected, `${scope} since ${since}`);
}

export const recovery: Scenarios = {
  /** 1,000 sockets rejoin at once, each from where it was, while more is said. */
  'recovery-storm': ({ ledger, dice }) =>
    inHouse({}, async (house) => {
      const groups = range(100).map((n) => `g${n}`);
      await fill(house, groups, 40);
      const live = 10;
      const guests = await Promise.all([
        fill(house, groups, live, 'live'),
        ...range(1000).map(async (n) => {
          const groupId = groups[n % groups.length] ?? '';
          const seen = dice.below(40);
          const guest = await house.customer(groupId, { since: { [groupId]: seen } });
          return { guest, groupId, seen };
        }),
      ]).then(([, ...joined]) => joined);
      const tails = new Map<string, number>();
      for (const groupId of groups) tails.set(groupId, await tailOf(house, groupId));
      for (const { guest, groupId, seen } of guests) {
        const tail = tails.get(groupId) ?? 0;
        await guest.sees(groupId, tail);
        ledger.equal(guest.session.recovered, { [groupId]: true }, `recovered of ${groupId}`);
        checkWhole(ledger, guest, groupId, seen, tail);
        ledger.equal(guest.faults, [], 'breaks of order');
      }
      ledger.equal([...new Set(tails.values())], [40 + live], 'the length of every log');
    }),

  /** 500 missed events are replayed, 501 are not, and nothing is sent of a scope that is not whole. */
  'recovery-bounds': ({ ledger }) =>
    inHouse({}, async (house) => {
      await fill(house, ['g1'], 600);
      const cases: [since: number, isWhole: boolean][] = [
        [0, false],
        [99, false],
        [100, true],
        [101, true],
        [599, true],
        [600, true],
        [601, false],
        [Number.MAX_SAFE_INTEGER, false],
      ];
      for (const [since, isWhole] of cases) {
        const guest = await house.customer('g1', { since: { g1: since } });
        await guest.settled();
        ledger.equal(guest.session.recovered, { g1: isWhole }, `recovered since ${since}`);
        if (isWhole) checkWhole(ledger, guest, 'g1', since, 600);
        else ledger.equal(seqsOf(guest, 'g1'), [], `sent since ${since}`);
      }
    }),

  /** Sockets that are cut again and again while messages go on have seen each message once when all is done. */
  'recovery-while-it-goes-on': ({ ledger, dice }) =>
    inHouse({}, async (house) => {
      const total = 2100;
      let said = 0;
      const speak = async () => {
        while (said < total) {
          await house.post(range(30).map((n) => says('g1', `m ${said + n}`)));
          said += 30;
        }
      };
      const tossed = async () => {
        const seqs: number[] = [];
        let since = 0;
        let cuts = 0;
        while (since < total) {
          const guest = await house.customer('g1', { since: { g1: since } });
          const goal = Math.min(total, since + 1 + dice.below(150));
          if (!guest.session.recovered.g1) ledger.that(false, `not recovered since ${since}`);
          await guest.sees('g1', goal);
          await guest.cut();
          seqs.push(...seqsOf(guest, 'g1'));
          since = guest.since.g1 ?? 0;
          cuts += 1;
        }
        ledger.count(cuts);
        ledger.equal(
          seqs,
          range(total).map((n) => n + 1),
          'all that one guest saw over its sockets',
        );
      };
      await Promise.all([speak(), ...range(10).map(tossed)]);
    }),

  /** An admin comes back with a hundred scopes at once. */
  'recovery-of-a-hundred-scopes': ({ ledger, dice }) =>
    inHouse({}, async (house) => {
      const groups = range(99).map((n) => `g${n}`);
      await fill(house, groups, 40);
      const since = Object.fromEntries(groups.map((groupId) => [groupId, dice.below(41)]));
      const admins = await Promise.all(
        range(5).map((n) => house.admin(`a${n}`, { since: { ...since, '@dealer': 0 } })),
      );
      await fill(house, groups, 10, 'live');
      for (const admin of admins) {
        for (const groupId of groups) {
          await admin.sees(groupId, 50);
          checkWhole(ledger, admin, groupId, since[groupId] ?? 0, 50);
        }
        ledger.equal(admin.faults, [], 'breaks of order');
      }
      const over = Object.fromEntries(range(101).map((n) => [`g${n}`, 0]));
      const refused = await house.admin('a9', { since: over }).catch((error: Error) => error.message);
      ledger.equal(refused, 'not joined: invalid_payload', '101 scopes');
    }),

  /** Sockets that come back to the other node each time, while both nodes speak. */
  'recovery-on-another-node': (stage) =>
    onTwoNodes(stage, async (one, other) => {
      const { ledger, dice } = stage;
      const total = 800;
      const houses = [one, other];
      const speak = async (house: House) => {
        for (let said = 0; said < total / 2; said += 20) await fill(house, ['g1'], 20);
      };
      const tossed = async (_: unknown, index: number) => {
        const seqs: number[] = [];
        let since = 0;
        for (let turn = index; since < total; turn += 1) {
          const house = houses[turn % 2] ?? one;
          const guest = await house.customer('g1', { since: { g1: since } });
          await guest.sees('g1', Math.min(total, since + 1 + dice.below(100)));
          await guest.cut();
          seqs.push(...seqsOf(guest, 'g1'));
          since = guest.since.g1 ?? 0;
        }
        ledger.count(total);
        ledger.equal(
          seqs,
          range(total).map((n) => n + 1),
          'all that one guest saw over both nodes',
        );
      };
      await Promise.all([...houses.map(speak), ...range(6).map(tossed)]);
    }),
};
