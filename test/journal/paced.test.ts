/** What nobody waits for leaves the database to everybody else as long as it takes it. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inParts, paced } from '../../src/journal/paced.ts';

/** How long something takes, in ms. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** What timers may be early by, in ms. */
const EARLY = 2;

describe('a part', () => {
  it('gives what it gave, after a pause of as long as it took', async () => {
    let took = 0;
    const part = async () => {
      took = await timed(() => sleep(40));
      return 'done';
    };
    const all = await timed(async () => assert.equal(await paced(part), 'done'));
    assert.ok(all >= 2 * took - EARLY, `${all} of ${took} ms`);
  });

  it('is followed by a pause though it took no time', async () => {
    assert.ok((await timed(() => paced(async () => {}))) >= 5 - EARLY);
  });

  it('that fails is not paused for', async () => {
    await assert.rejects(
      paced(() => Promise.reject(new Error('away'))),
      /away/,
    );
  });

  it('is the last where the signal says so, which does not wait for the pause', async () => {
    const stop = new AbortController();
    const part = async () => {
      await sleep(5);
      stop.abort();
    };
    await assert.rejects(paced(part, stop.signal), { name: 'AbortError' });
  });
});

describe('many', () => {
  const items = Array.from({ length: 120 }, (_, n) => n);

  it('are done in order, 50 at a time and no more', async () => {
    const done: number[] = [];
    let underWay = 0;
    let most = 0;
    await inParts(items, async (item) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await sleep(1);
      underWay -= 1;
      done.push(item);
    });
    assert.deepEqual(done, items);
    assert.equal(most, 50);
  });

  it('are not gone on with behind a part that fails, nor where the signal says so', async () => {
    const begun: number[] = [];
    const failing = async (item: number) => {
      begun.push(item);
      if (item === 7) throw new Error('away');
    };
    await assert.rejects(inParts(items, failing), /away/);
    assert.equal(begun.length, 50);
    const stop = new AbortController();
    const stopping = async () => stop.abort();
    await assert.rejects(inParts(items, stopping, stop.signal), { name: 'AbortError' });
  });
});
