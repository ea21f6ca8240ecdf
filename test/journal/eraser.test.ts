/** [P-11.4] What is marked to be erased is erased part by part, and scrubbed when all of it is out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Eraser, eraseMarked } from '../../src/journal/eraser.ts';
import { until } from '../support/until.ts';

/** Marks of so many parts, and what was done with them. */
function marks(parts: number) {
  const seen: string[] = [];
  const store = {
    left: parts,
    fault: null as Error | null,
    async erasePart() {
      if (store.fault) throw store.fault;
      if (store.left === 0) return false;
      store.left -= 1;
      seen.push('part');
      return true;
    },
    async scrub() {
      seen.push('scrub');
      return true;
    },
  };
  return { store, seen };
}

/** An eraser of marks, for the length of a test. */
async function erasing(
  { store, interval = 60_000 }: { store: ReturnType<typeof marks>['store']; interval?: number },
  use: (eraser: Eraser, faults: [unknown, string][]) => Promise<void>,
): Promise<void> {
  const faults: [unknown, string][] = [];
  const eraser = new Eraser({ store, interval, onFault: (fault, what) => faults.push([fault, what]) });
  try {
    await use(eraser, faults);
  } finally {
    await eraser.close();
  }
}

const times = (seen: readonly string[], what: string) => seen.filter((each) => each === what).length;

describe('an eraser', () => {
  it('goes on at its start with what is marked, and scrubs once all parts are out', async () => {
    const { store, seen } = marks(3);
    await erasing({ store }, async (eraser) => {
      eraser.start();
      await until('the scrub', async () => seen.includes('scrub'));
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.deepEqual(seen, ['part', 'part', 'part', 'scrub'], 'and then it is at nothing');
    });
  });

  it('looks again after each interval, and no more once it is closed', async () => {
    const { store, seen } = marks(0);
    await erasing({ store, interval: 5 }, async (eraser) => {
      eraser.start();
      await until('another look', async () => times(seen, 'scrub') >= 2);
    });
    const looks = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(seen.length, looks);
  });

  it('erases what is marked while it is at work, and scrubs that a while later', async () => {
    const { store, seen } = marks(1);
    await erasing({ store }, async (eraser) => {
      eraser.wake();
      await until('the first part', async () => seen.length > 0);
      store.left += 1;
      eraser.wake();
      await until('both scrubs', async () => times(seen, 'scrub') === 2);
      assert.deepEqual([store.left, times(seen, 'part')], [0, 2]);
    });
  });

  it('tells what went wrong, and goes on when it is woken', async () => {
    const { store, seen } = marks(1);
    await erasing({ store }, async (eraser, faults) => {
      store.fault = new Error('away');
      eraser.wake();
      await until('the fault', async () => faults.length > 0);
      assert.deepEqual(faults, [[store.fault, 'what is being erased could not be gone on with']]);
      store.fault = null;
      eraser.wake();
      await until('the scrub', async () => seen.includes('scrub'));
      assert.deepEqual(seen, ['part', 'scrub']);
    });
  });

  it('leaves the rest where it is closed, which is no fault', async () => {
    const { store, seen } = marks(1_000_000);
    await erasing({ store }, async (eraser, faults) => {
      eraser.wake();
      await until('the first part', async () => seen.length > 0);
      await eraser.close();
      assert.ok(store.left > 0);
      assert.deepEqual([seen.includes('scrub'), faults], [false, []]);
    });
  });
});

describe('what a command erases', () => {
  it('is all that is marked, and scrubbed, when it resolves', async () => {
    const { store, seen } = marks(2);
    await eraseMarked(store);
    assert.deepEqual(seen, ['part', 'part', 'scrub']);
  });
});
