import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, test } from 'node:test';
import { beginInTurn, inTurn, inTurns, oneAtATime, pagesInTurn, readInTurn, turn } from '../../src/commands/turns.ts';

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

  test('share a turn as long as what they do is short', async () => {
    const { seen, piece, stop } = longWork();
    const goOn = async () => {
      await inTurn();
      piece('piece', 0);
    };
    await Promise.all(Array.from({ length: 100 }, goOn));
    stop();
    const others = seen.filter((each) => each === 'others').length;
    assert.ok(others < 50, `${others} turns of others`);
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

describe('pages that are read in turn', () => {
  /** Pages of something that is told when nobody reads on. */
  function pages() {
    const seen: string[] = [];
    function* source() {
      try {
        for (const page of ['one', 'two', 'three']) {
          seen.push(page);
          yield page;
        }
      } finally {
        seen.push('over');
      }
    }
    return { seen, source: source() };
  }
  async function* later<Page>(source: Iterable<Page>) {
    yield* source;
  }

  for (const [what, open] of [
    ['at once', (source: Iterable<string>) => source],
    ['later', later<string>],
  ] as const) {
    test(`come one by one, in order, where each is there ${what}`, async () => {
      const { seen, source } = pages();
      const read: string[] = [];
      for await (const page of pagesInTurn(open(source))) {
        assert.equal(seen.at(-1), page, 'no page is read before it is asked for');
        read.push(page);
      }
      assert.deepEqual(read, ['one', 'two', 'three']);
    });

    test(`are left where nobody reads on, and where each is there ${what}`, async () => {
      const { seen, source } = pages();
      for await (const _ of pagesInTurn(open(source))) break;
      assert.deepEqual(seen, ['one', 'over']);
    });
  }

  test('may come from what is not told that nobody reads on', async () => {
    for await (const page of pagesInTurn({ [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }) }) })) {
      assert.equal(page, 1);
      break;
    }
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

  test('waits for what is being made, though what was asked before that has been made', async () => {
    const seen: string[] = [];
    const make = (what: string, turns: number) => async () => {
      seen.push(`${what} begins`);
      for (let left = turns; left > 0; left -= 1) await turn();
      seen.push(`${what} ends`);
    };
    const first = oneAtATime('d1', make('first', 1));
    const second = oneAtATime('d1', make('second', 5));
    await first;
    await Promise.all([second, oneAtATime('d1', make('third', 1))]);
    await oneAtATime('d1', make('fourth', 1));
    assert.deepEqual(
      seen,
      ['first', 'second', 'third', 'fourth'].flatMap((what) => [`${what} begins`, `${what} ends`]),
    );
  });
});
