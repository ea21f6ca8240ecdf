/** [P-8.3] What many dealers missed is read a little at a time, and none of them waits for all that another missed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Readings } from '../../src/store/readings.ts';

/** Readings that end when they are told to, and the names of those that have begun, in order. */
function open() {
  const readings = new Readings(2);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const read = (dealerId: string, name = dealerId) =>
    readings.read(dealerId, () => {
      begun.push(name);
      return new Promise<string>((resolve) => ends.push(() => resolve(name)));
    });
  const end = async () => {
    ends.shift()?.();
    await turn();
  };
  return { readings, begun, read, end };
}

describe('readings of the log', () => {
  it('go on two at a time, whoever asks, and each gives what it read', async () => {
    const { begun, read, end } = open();
    const all = Array.from({ length: 600 }, (_, index) => read(`d${index}`));
    assert.deepEqual(begun, ['d0', 'd1']);
    await end();
    assert.deepEqual(begun, ['d0', 'd1', 'd2']);
    for (let left = 599; left > 0; left -= 1) await end();
    assert.deepEqual(
      await Promise.all(all),
      Array.from({ length: 600 }, (_, index) => `d${index}`),
    );
  });

  it('of one dealer, however many, leave others their turn', async () => {
    const { begun, read, end } = open();
    for (let n = 1; n <= 100; n += 1) void read('large', `large ${n}`);
    void read('small');
    await end();
    await end();
    assert.deepEqual(begun, ['large 1', 'large 2', 'large 3', 'small']);
  });

  it('that fail reject, and hinder no other', async () => {
    const { readings, read, begun } = open();
    const fails = () =>
      readings.read('d1', async () => {
        throw new Error('the log is away');
      });
    for (let n = 0; n < 5; n += 1) await assert.rejects(fails(), /the log is away/);
    void read('d1');
    assert.deepEqual(begun, ['d1']);
  });
});
