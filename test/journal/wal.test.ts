/** A write-ahead log that grows without bound is told of in time, and not again and again. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { watchWal } from '../../src/journal/wal.ts';

const MIB = 1024 * 1024;
const INTERVAL = 1000;

beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
afterEach(() => mock.timers.reset());

/** Watches a log of which a test says how large it is. */
function watched() {
  const log = { mib: 0 };
  const told: string[] = [];
  const end = watchWal({ walBytes: () => log.mib * MIB }, INTERVAL, (sentence) => told.push(sentence));
  /** How large the log was each time that it was told of. */
  const at = (...sizes: readonly number[]) => {
    told.length = 0;
    for (const mib of sizes) {
      log.mib = mib;
      mock.timers.tick(INTERVAL);
    }
    return told.map((sentence) => Number(/has (\d+) MiB and grows/.exec(sentence)?.[1]));
  };
  return { at, end };
}

describe('a write-ahead log', () => {
  it('is told of where it is large, and then each time that it has doubled', () => {
    const { at, end } = watched();
    assert.deepEqual(at(0, 255, 256, 300, 511, 512, 600, 5000, 5001, 8191, 8192), [256, 512, 5000, 8192]);
    end();
  });

  it('is told of anew where it was small in between', () => {
    const { at, end } = watched();
    assert.deepEqual(at(600, 255, 256, 300), [600, 256]);
    end();
  });

  it('is not looked at any more once that is ended, nor where the database has none', () => {
    const { at, end } = watched();
    end();
    assert.deepEqual(at(1000), []);
    const told: string[] = [];
    watchWal({ walBytes: null }, INTERVAL, (sentence) => told.push(sentence))();
    mock.timers.tick(INTERVAL);
    assert.deepEqual(told, []);
  });
});
