import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import { beginInTurn, inTurn, inTurns, oneAtATime, readInTurn, turn } from '../../src/commands/turns.ts';

/** Holds the event loop. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Pieces of work that take long, and what was seen of them and, from the first on, of the turns of everybody else. */
function longWork() {
  const seen: string[] = [];
  let isOver = false;
  const others = () => {
    if (isOver) return;
    seen.push('others');
    setImmediate(others);
  };
  const piece = (name: string, ms = 20) => {
    if (seen.length === 0) setImmediate(others);
    work(ms);
    seen.push(name);
  };
  const stop = () => {
    isOver = true;
  };
  return { seen, piece, stop };
}

describe('those who go on in turn', () => {
  test('go on in the order in which they asked, and let everybody else have a turn when they have taken long', async () => {
    const { seen, piece, stop } = longWork();
    const goOn = async (name: string) => {
      await inTurn();
      await Promise.resolve(); // as one does who reads from an embedded database
      piece(name);
    };
    await Promise.all(['a', 'b', 'c'].map(goOn));
    stop();
    assert.deepEqual(seen, ['a', 'others', 'b', 'others', 'c']);
  });

  test('do not wait for one who waits for something else', async () => {
    const first = inTurn().then(() => new Promise((resolve) => setTimeout(resolve, 20, 'late')));
    const second = inTurn().then(() => 'soon');
    assert.equal(await Promise.race([first, second]), 'soon');
    assert.equal(await first, 'late');
  });
});

describe('lines of those who go on in turn', () => {
  test('hold a turn together no longer than one of them may, but for one who goes on in each', async () => {
    const { seen, piece, stop } = longWork();
    const lines = [inTurn, beginInTurn, readInTurn];
    const goOn = async (line: () => Promise<void>) => {
      await line();
      piece('piece', 3);
    };
    await Promise.all(lines.flatMap((line) => Array.from({ length: 6 }, () => goOn(line))));
    stop();
    const inATurn = seen
      .join(' ')
      .split('others')
      .map((pieces) => pieces.split('piece').length - 1);
    assert.ok(Math.max(...inATurn) <= 4, seen.join(' '));
    assert.equal(seen.filter((each) => each === 'piece').length, 18);
  });
});

describe('what is done in turns', () => {
  test('is done in order, and gives what was made of each', async () => {
    assert.deepEqual(await inTurns([3, 1, 2], (item) => item * 2), [6, 2, 4]);
    assert.deepEqual(await inTurns([], () => assert.fail('there is nothing to do')), []);
  });

  test('lets everybody else have a turn after each piece that takes long', async () => {
    const { seen, piece, stop } = longWork();
    await inTurns(['a', 'b', 'c'], piece);
    stop();
    assert.deepEqual(seen, ['a', 'others', 'b', 'others', 'c']);
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

describe('what is made one at a time', () => {
  test('waits for what was asked before of the same name alone, and is made though that failed', async () => {
    const seen: string[] = [];
    const make = (what: string, fault?: Error) => async () => {
      seen.push(`${what} begins`);
      await turn();
      if (fault) throw fault;
      seen.push(`${what} ends`);
      return what;
    };
    const first = oneAtATime('d1', make('first', new Error('no')));
    const second = oneAtATime('d1', make('second'));
    const other = oneAtATime('d2', make('other'));
    await assert.rejects(first, /no/);
    assert.deepEqual(await Promise.all([second, other]), ['second', 'other']);
    const ofFirst = seen.filter((what) => !what.startsWith('other'));
    assert.deepEqual(ofFirst, ['first begins', 'second begins', 'second ends']);
    assert.ok(seen.indexOf('other begins') < seen.indexOf('second begins'));
  });
});
