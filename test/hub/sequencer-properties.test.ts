/** [P-8.3] Whatever comes, in whatever order and however often, each scope is delivered whole, in order, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Publication } from '../../src/hub/publication.ts';
import { type Log, Sequencer } from '../../src/hub/sequencer.ts';
import { Readings } from '../../src/store/readings.ts';
import { Inbox } from '../support/until.ts';

/** A scope, how far it goes, and how far the sockets were told that it goes. */
interface Known {
  readonly scope: string;
  readonly last: number;
  readonly told: number;
}

const event = (scope: string, seq: number): Publication => ({
  type: 'CHAT_MSG',
  dealerId: 'd1',
  groupId: 'g1',
  scope,
  seq,
  at: seq,
  frame: `${scope} ${seq}`,
  answer: null,
});

const anyScope = (scope: string) =>
  fc.tuple(fc.nat(12), fc.nat(12)).map(([one, other]): Known => {
    return { scope, last: Math.max(one, other), told: Math.min(one, other) };
  });

/** The publications of a log, some lost, some twice, in any order. */
const anyArrivals = fc.tuple(anyScope('g1'), anyScope('g2'), anyScope('@desk')).chain((scopes) => {
  const all = scopes.flatMap(({ scope, last }) =>
    Array.from({ length: last }, (_, index) => ({ scope, seq: index + 1 })),
  );
  const arrivals = all.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...all), { maxLength: 60 });
  return fc.tuple(fc.constant(scopes), arrivals, fc.boolean());
});

/** The whole log, from the beginning, read in small pieces. */
const logOf = (scopes: readonly Known[]): Log => ({
  settled: async () => {},
  tails: async (_, names) =>
    new Map(names.map((name) => [name, scopes.find(({ scope }) => scope === name)?.last ?? 0])),
  tailsSince: async () =>
    new Map(scopes.filter(({ scope }) => scope !== '@desk').map(({ scope, last }) => [scope, last])),
  between: async (_, scope, after, before) =>
    Array.from({ length: Math.max(0, before - after - 1) }, (__, index) => event(scope, after + index + 1)).slice(0, 5),
});

test('whatever is lost, comes twice or overtakes, each scope is delivered from what was told to its end, in order, once', () =>
  fc.assert(
    fc.asyncProperty(anyArrivals, async ([scopes, arrivals, byFirst]) => {
      const delivered = new Inbox<Publication>();
      const sequencer = new Sequencer({
        log: logOf(scopes),
        readings: new Readings(2),
        deliver: delivered.put,
        acknowledge: () => {},
        now: Date.now,
        patience: 1,
        lateness: 60_000,
      });
      try {
        for (const { scope } of scopes) sequencer.follow('d1', scope);
        sequencer.know('d1', new Map(scopes.map(({ scope, told }) => [scope, told])));
        const half = byFirst ? arrivals.length : Math.floor(arrivals.length / 2);
        for (const { scope, seq } of arrivals.slice(0, half)) sequencer.take(event(scope, seq));
        sequencer.catchUp('d1');
        for (const { scope, seq } of arrivals.slice(half)) sequencer.take(event(scope, seq));
        await delivered.first(scopes.reduce((sum, { last, told }) => sum + last - told, 0));
        for (const { scope, last, told } of scopes) {
          const got = delivered.items.filter((each) => each.scope === scope).map(({ seq }) => seq);
          assert.deepEqual(
            got,
            Array.from({ length: last - told }, (_, index) => told + index + 1),
          );
        }
      } finally {
        sequencer.close();
      }
    }),
    { numRuns: 300 },
  ));
