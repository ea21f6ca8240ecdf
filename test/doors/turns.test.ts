import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import { inTurns } from '../../src/doors/turns.ts';

/** Holds the event loop. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('what is done in turns', () => {
  test('is done in order, and gives what was made of each', async () => {
    assert.deepEqual(await inTurns([3, 1, 2], (item) => item * 2), [6, 2, 4]);
    assert.deepEqual(await inTurns([], () => assert.fail('there is nothing to do')), []);
  });

  test('lets everybody else have a turn after each piece that takes long', async () => {
    const seen: string[] = [];
    let isOver = false;
    const others = () => {
      if (isOver) return;
      seen.push('others');
      setImmediate(others);
    };
    setImmediate(others);
    await inTurns(['a', 'b', 'c'], (item) => {
      work(20);
      seen.push(item);
    });
    isOver = true;
    assert.deepEqual(seen, ['a', 'others', 'b', 'others', 'c', 'others']);
  });

  test('ends with the first fault, and asks for nothing more', async () => {
    let asked = 0;
    function* items() {
      for (;;) {
        asked += 1;
        yield asked;
      }
    }
    const fault = new Error('no more');
    const refuse = (item: number) => {
      if (item === 3) throw fault;
    };
    await assert.rejects(inTurns(items(), refuse), fault);
    assert.equal(asked, 3);
  });
});
