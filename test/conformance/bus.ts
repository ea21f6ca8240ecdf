/** What every bus must do: each promise of `src/bus/bus.ts`, against whatever implements it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bus } from '../../src/bus/bus.ts';
import type { Publication } from '../../src/hub/publication.ts';
import { TestPeer } from '../support/peers.ts';

export interface Opened {
  readonly bus: Bus;
  close(): Promise<void>;
}

const publication = (scope: string, seq: number | null, more: Partial<Publication> = {}): Publication => ({
  type: 'CHAT_MSG',
  dealerId: 'd1',
  groupId: 'g1',
  scope,
  seq,
  at: seq,
  frame: `{"scope":"${scope}","seq":${seq}}`,
  answer: null,
  ...more,
});

/** @param open opens a bus that nobody else speaks on; `close` closes it and what it needed */
export function describeBus(name: string, open: () => Promise<Opened>): void {
  /** A bus, and what its listener has been handed. */
  const withBus = (use: (bus: Bus, heard: Publication[]) => Promise<void>) => async () => {
    const { bus, close } = await open();
    try {
      const heard: Publication[] = [];
      bus.listen({ deliver: (publication) => heard.push(publication), missed: () => {} });
      await use(bus, heard);
    } finally {
      await close();
    }
  };

  describe(`a bus: ${name}`, () => {
    it(
      'has handed everything to its own listener when publish returns, in order',
      withBus(async (bus, heard) => {
        const first = [publication('g1', 1), publication('@desk', 1), publication('g1', 2)];
        const second = [publication('g2', 1), publication('g1', 3)];
        bus.publish(first);
        assert.deepEqual(heard, first);
        bus.publish(second);
        assert.deepEqual(heard, [...first, ...second]);
      }),
    );

    it(
      'keeps the order of many, scopes and calls mixed',
      withBus(async (bus, heard) => {
        const all = Array.from({ length: 1000 }, (_, index) =>
          publication(`g${index % 3}`, Math.floor(index / 3) + 1, { dealerId: `d${index % 2}` }),
        );
        for (let from = 0; from < all.length; from += 7) bus.publish(all.slice(from, from + 7));
        assert.deepEqual(heard, all);
      }),
    );

    it(
      'hands over the answer to the socket that spoke, the very same socket',
      withBus(async (bus, heard) => {
        const peer = new TestPeer();
        const frame = '{"channel":"ack"}';
        bus.publish([
          publication('g1', 1, { answer: { peer, frame } }),
          publication('g1', null, { answer: { peer, frame: null } }),
          publication('g1', 2),
        ]);
        assert.equal(heard[0]?.answer?.peer, peer);
        assert.equal(heard[0]?.answer?.frame, frame);
        assert.equal(heard[1]?.answer?.peer, peer);
        assert.equal(heard[1]?.answer?.frame, null);
        assert.equal(heard[2]?.answer, null);
      }),
    );

    it(
      'hands over what has no seq, in its place, and every character of a frame',
      withBus(async (bus, heard) => {
        const frame = JSON.stringify({ message: '"😀" \ud800 \0 \u2028' });
        const all = [publication('g1', 1), publication('g1', null, { frame }), publication('g1', 2, { frame })];
        bus.publish(all);
        assert.deepEqual(
          heard.map(({ seq }) => seq),
          [1, null, 2],
        );
        assert.equal(heard[1]?.frame, frame);
        assert.equal(heard[2]?.frame, frame);
      }),
    );

    it(
      'hands its own events to its listener whether their dealer is followed or not',
      withBus(async (bus, heard) => {
        // What comes again from elsewhere may follow: what counts is what is there when publish returns.
        const arrives = (dealerId: string) => {
          const event = publication('g1', 1, { dealerId });
          bus.publish([event]);
          assert.equal(heard.at(-1), event, dealerId);
        };
        arrives('d1');
        await bus.follow('d1');
        arrives('d1');
        arrives('d2');
        bus.unfollow('d1');
        bus.unfollow('never-followed');
        arrives('d1');
        await bus.follow('*');
        arrives('d3');
      }),
    );

    it('tells this node too, dealer by dealer, that events of theirs may not have come', async () => {
      const { bus, close } = await open();
      try {
        const missed: string[] = [];
        const all = new Promise<void>((resolve) => {
          bus.listen({
            deliver: () => {},
            missed: (dealerId) => {
              missed.push(dealerId);
              if (missed.length === 2) resolve();
            },
          });
        });
        await Promise.all([bus.follow('d1'), bus.follow('d2')]);
        bus.resync(new Set(['d1', 'd2']));
        await all;
        assert.deepEqual(missed, ['d1', 'd2']);
      } finally {
        await close();
      }
    });

    it(
      'hands over nothing for nothing',
      withBus(async (bus, heard) => {
        bus.publish([]);
        assert.deepEqual(heard, []);
      }),
    );

    it(
      'does not throw when it is published to after it was closed',
      withBus(async (bus) => {
        await bus.close();
        bus.publish([publication('g1', 1)]);
      }),
    );
  });
}
