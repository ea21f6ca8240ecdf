/** Many who wait equally long, with one timer for all. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Deadlines } from '../../src/conversation/deadlines.ts';

const WAIT = 30;

describe('deadlines', () => {
  test('come for each when it has waited so long, in the order in which they came', async () => {
    const due: [item: string, after: number][] = [];
    await new Promise<void>((resolve) => {
      const added = new Map<string, number>();
      const deadlines = new Deadlines<string>(WAIT, (item) => {
        due.push([item, performance.now() - (added.get(item) ?? 0)]);
        if (item === 'third') resolve();
      });
      const add = (item: string) => {
        added.set(item, performance.now());
        deadlines.add(item);
      };
      add('first');
      add('second');
      setTimeout(() => add('third'), WAIT / 2);
    });
    assert.deepEqual(
      due.map(([item]) => item),
      ['first', 'second', 'third'],
    );
    // Both clocks are read in whole milliseconds.
    for (const [item, after] of due) assert.ok(after >= WAIT - 2, `${item} after ${after} ms`);
  });

  test('come no more for what is taken out, and later for what begins to wait anew', async () => {
    const due: string[] = [];
    await new Promise<void>((resolve) => {
      const deadlines = new Deadlines<string>(WAIT, (item) => {
        due.push(item);
        if (item === 'again') resolve();
      });
      for (const item of ['again', 'gone', 'other']) deadlines.add(item);
      deadlines.delete('gone');
      deadlines.add('again');
      assert.deepEqual([deadlines.has('again'), deadlines.has('gone')], [true, false]);
    });
    assert.deepEqual(due, ['other', 'again']);
  });

  test('come again and again for what waits again each time', async () => {
    let count = 0;
    await new Promise<void>((resolve) => {
      const deadlines: Deadlines<string> = new Deadlines(1, (item) => {
        count += 1;
        if (count < 3) deadlines.add(item);
        else resolve();
      });
      deadlines.add('beat');
    });
    assert.equal(count, 3);
  });
});
