import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Entry, FairQueue } from '../../src/journal/queue.ts';

interface Sent extends Entry {
  /** Which of its sender's it is. */
  readonly count: number;
}

const sent = (dealerId: string, sender: string, count = 0, weight = 512): Sent => ({ dealerId, sender, count, weight });
const ROOMY = 1_000_000;
const nameOf = ({ dealerId, sender }: Sent) => `${dealerId}/${sender}`;

/** Some entries of few dealers and senders, each counted within its sender. */
const someEntries = fc
  .array(
    fc.record({
      dealerId: fc.constantFrom('*', 'd1', 'd2', 'd3'),
      sender: fc.constantFrom('a', 'b', 'c'),
      weight: fc.integer({ min: 512, max: 100_000 }),
    }),
    { maxLength: 200 },
  )
  .map((entries) => {
    const counts = new Map<string, number>();
    return entries.map((entry): Sent => {
      const name = nameOf({ ...entry, count: 0 });
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return { ...entry, count };
    });
  });

/** Puts all in, and takes some after each of them; then the rest. @returns what came out, batch by batch */
function through(entries: readonly Sent[], takes: readonly boolean[], weight: number): Sent[][] {
  const queue = new FairQueue<Sent>(ROOMY);
  const batches: Sent[][] = [];
  for (const [index, entry] of entries.entries()) {
    assert.equal(queue.push(entry), true);
    if (takes[index % takes.length]) batches.push(queue.take(weight));
  }
  while (queue.size > 0) batches.push(queue.take(weight));
  assert.deepEqual(queue.take(weight), []);
  return batches;
}

describe('the queue', () => {
  it('gives out what was put in, each once, and what one sender sends in its order', () => {
    fc.assert(
      fc.property(
        someEntries,
        fc.array(fc.boolean(), { minLength: 1 }),
        fc.integer({ min: 512, max: 200_000 }),
        (entries, takes, weight) => {
          const out = through(entries, takes, weight).flat();
          // A sort is stable: it leaves each sender's in their order.
          const bySender = (all: readonly Sent[]) => [...all].sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
          assert.deepEqual(bySender(out), bySender(entries));
        },
      ),
    );
  });

  it('gives no more at a time than was asked for, but for one that weighs more, which comes alone', () => {
    fc.assert(
      fc.property(someEntries, fc.integer({ min: 512, max: 200_000 }), (entries, weight) => {
        for (const batch of through(entries, [false], weight)) {
          const sum = batch.reduce((all, each) => all + each.weight, 0);
          assert.ok(batch.length === 1 || sum <= weight, `${batch.length} of ${sum}`);
        }
      }),
    );
  });

  it('keeps the order in which one sender’s came while thousands wait', () => {
    const queue = new FairQueue<Sent>(ROOMY);
    for (let count = 0; count < 5000; count += 1) queue.push(sent('d1', 'a', count));
    const out = Array.from({ length: 5000 }, () => queue.take(512)[0]?.count);
    assert.deepEqual(
      out,
      Array.from({ length: 5000 }, (_, count) => count),
    );
  });

  it('gives out only what may go, keeps the rest, and what one sender sends about a dealer in its order', () => {
    const someDealers = fc.uniqueArray(fc.constantFrom<string>('d1', 'd2', 'd3'));
    fc.assert(
      fc.property(someEntries, fc.array(someDealers, { minLength: 1 }), (entries, blocked) => {
        const queue = new FairQueue<Sent>(ROOMY);
        // What a server of all dealers sends is about any of them.
        const all = entries.map((entry, n) =>
          entry.dealerId === '*' ? { ...entry, about: `d${(n % 3) + 1}` } : entry,
        );
        const aboutOf = ({ dealerId, about = dealerId }: Sent) => about;
        const out: Sent[] = [];
        for (const [n, entry] of all.entries()) {
          queue.push(entry);
          const busy = blocked[n % blocked.length] ?? [];
          const taken = queue.take(20_000, (dealerId) => !busy.includes(dealerId));
          assert.ok(taken.every((each) => !busy.includes(aboutOf(each))));
          out.push(...taken);
        }
        while (queue.size > 0) {
          const taken = queue.take(20_000, () => true);
          assert.ok(taken.length > 0, 'whatever may go goes');
          out.push(...taken);
        }
        const byName = (given: readonly Sent[]) => {
          const of = (each: Sent) => `${nameOf(each)}/${aboutOf(each)}`;
          return [...given].sort((a, b) => of(a).localeCompare(of(b)));
        };
        assert.deepEqual(byName(out), byName(all));
      }),
    );
  });

  it('gives what may go though thousands wait that may not, of dealers and of one who sends for all', () => {
    const queue = new FairQueue<Sent>(ROOMY);
    for (let count = 0; count < 2000; count += 1) {
      queue.push(sent('busy', 'a', count, 20_000));
      queue.push({ ...sent('*', 'server:redis', count), about: count === 100 ? 'free' : 'busy' });
    }
    queue.push(sent('free', 'a'));
    const taken = queue.take(100_000, (dealerId) => dealerId === 'free');
    assert.deepEqual(taken.map(({ sender }) => sender).sort(), ['a', 'server:redis']);
    assert.deepEqual(
      queue.take(100_000, (dealerId) => dealerId === 'free'),
      [],
    );
  });

  it('lets dealers take turns, and within a dealer senders, by weight and not by number', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 512, max: 60_000 }), { minLength: 2, maxLength: 6 }),
        fc.boolean(),
        (weights, areDealers) => {
          const queue = new FairQueue<Sent>(ROOMY);
          const of = (n: number) =>
            areDealers ? sent(`d${n}`, 'a', 0, weights[n]) : sent('d1', `s${n}`, 0, weights[n]);
          for (let round = 0; round < 400; round += 1) for (const [n] of weights.entries()) queue.push(of(n));
          const given = weights.map(() => 0);
          // As long as each of them has something waiting, none is ahead of another by more than one turn and one entry.
          const least = Math.min(...weights) * 300;
          for (let all = 0; all < least; ) {
            const [next] = queue.take(1);
            assert.ok(next);
            all += next.weight;
            const n = Number((areDealers ? next.dealerId : next.sender).slice(1));
            given[n] = (given[n] ?? 0) + next.weight;
          }
          assert.ok(Math.max(...given) - Math.min(...given) <= 2 * (4096 + Math.max(...weights)), `${given}`);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('lets who comes new wait for one turn of each, however much the others have waiting', () => {
    const queue = new FairQueue<Sent>(ROOMY);
    for (let n = 0; n < 60; n += 1)
      for (let count = 0; count < 100; count += 1) queue.push(sent('d1', `${n}`, count, 20_000));
    queue.take(1);
    queue.push(sent('d2', 'b'));
    queue.push(sent('d1', 'b'));
    const order = Array.from({ length: 65 }, () => queue.take(1)[0]?.dealerId);
    assert.ok(order.indexOf('d2') < 2, `place ${order.indexOf('d2')} behind another dealer`);
  });

  it('gives servers of all dealers as much as all dealers together', () => {
    const queue = new FairQueue<Sent>(ROOMY);
    for (let n = 0; n < 100; n += 1) for (let count = 0; count < 20; count += 1) queue.push(sent(`d${n}`, 'a', count));
    for (let count = 0; count < 2000; count += 1) queue.push(sent('*', 'server:redis', count));
    const batch = queue.take(1000 * 512);
    const platform = batch.filter(({ dealerId }) => dealerId === '*').length;
    assert.ok(Math.abs(platform - 500) <= 8, `${platform} of 1000`);
  });

  it('is full for one sender, and one dealer, before it is for the others', () => {
    const queue = new FairQueue<Sent>(3000);
    const fill = (dealerId: string, sender: string) => {
      let count = 0;
      while (queue.push(sent(dealerId, sender, count))) count += 1;
      return count;
    };
    assert.equal(fill('d1', 'a'), 1000, 'one alone takes a third');
    assert.ok(fill('d1', 'b') > 200, 'another of the same dealer finds room');
    for (let n = 0; n < 20; n += 1) fill('d1', `more${n}`);
    assert.ok(queue.size <= 1500, 'a dealer takes half of it at most');
    assert.ok(fill('d2', 'a') > 200, 'another dealer finds room');
    for (let n = 0; n < 8; n += 1) fill(`more${n}`, 'a');
    assert.equal(queue.push(sent('newcomer', 'a')), true, 'whoever has nothing waiting finds room');
    while (queue.size > 0) queue.take(512);
    assert.equal(fill('d1', 'a'), 1000, 'and there is as much as before when all has gone');
  });
});
