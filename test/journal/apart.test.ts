import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { Apart } from '../../src/journal/apart.ts';

interface Sent {
  readonly dealerId: string;
  readonly about: string;
  readonly sender: string;
  readonly weight: number;
  readonly n: number;
}

const sent = (about: string, n: number): Sent => ({ dealerId: about, about, sender: 'a', weight: 512, n });
const nameOf = ({ about, n }: Sent) => `${about} ${n}`;

/** One of which a test says what is locked; what it is asked to store, and refuses, is kept. */
function apartFrom(locked: Set<string>) {
  const tried: string[] = [];
  const stored: string[] = [];
  const refused: string[] = [];
  const apart = new Apart<Sent>({
    atOnce: 2,
    store: async (batch) => {
      const dealerId = batch[0]?.about ?? '';
      tried.push(dealerId);
      await new Promise(setImmediate);
      if (!locked.has(dealerId)) stored.push(...batch.map(nameOf));
      return locked.has(dealerId);
    },
    refuse: (batch) => void refused.push(...batch.map(nameOf)),
  });
  return { apart, tried, stored, refused };
}

describe('what is kept apart', () => {
  it('is tried again until it is stored, dealer by dealer, and in the order in which it came', async () => {
    const locked = new Set(['d1']);
    const { apart, tried, stored, refused } = apartFrom(locked);
    apart.add('d1', [sent('d1', 1)]);
    apart.add('d2', [sent('d2', 1)]);
    for (let n = 2; n < 5; n += 1) apart.push(sent('d1', n));
    while (tried.filter((each) => each === 'd1').length < 3) await new Promise(setImmediate);
    assert.deepEqual(stored, ['d2 1']);
    assert.equal(apart.has('d2'), false, 'whose rows are free goes with the others again');
    locked.clear();
    await apart.emptied();
    assert.deepEqual(stored, ['d2 1', 'd1 1', 'd1 2', 'd1 3', 'd1 4']);
    assert.deepEqual([apart.size, refused], [0, []]);
  });

  it('is refused after a while, and what comes after that is tried on its own, too', async () => {
    const locked = new Set(['d1']);
    const { apart, stored, refused } = apartFrom(locked);
    let now = 0;
    const clock = mock.method(performance, 'now', () => (now += 100));
    try {
      apart.add('d1', [sent('d1', 1)]);
      apart.push(sent('d1', 2));
      await apart.emptied();
      assert.deepEqual(refused, ['d1 1', 'd1 2']);
      assert.ok(apart.has('d1'));
      locked.clear();
      apart.push(sent('d1', 3));
      await apart.emptied();
    } finally {
      clock.mock.restore();
    }
    assert.deepEqual([stored, apart.size], [['d1 3'], 0]);
  });

  it('is refused at once where too much waits already', async () => {
    const { apart, refused } = apartFrom(new Set());
    apart.add('d1', [sent('d1', 0)]);
    for (let n = 1; n < 2000; n += 1) apart.push(sent('d1', n));
    assert.ok(refused.length > 500 && refused.length < 1900, `${refused.length} refused`);
    await apart.emptied();
  });
});
