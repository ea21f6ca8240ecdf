/** What one may do in a time, as plain numbers. Times are in ms, of a clock that the tests tell. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { giveBackAll, Holdings, Quota, Strikes, TokenBucket, takeAll } from '../../src/commands/limits.ts';

/** How many are let through one after the other, of so many that come at a time. */
const through = (bucket: TokenBucket, now: number, count: number): number =>
  Array.from({ length: count }, () => bucket.take(now)).filter(Boolean).length;

describe('a bucket of tokens', () => {
  test('lets as many through at once as it holds, and then so many a second', () => {
    const bucket = new TokenBucket(5, 2, 1000);
    assert.equal(through(bucket, 1000, 10), 5);
    assert.equal(through(bucket, 1499, 10), 0);
    assert.equal(through(bucket, 1500, 10), 1);
    assert.equal(through(bucket, 3000, 10), 3);
  });

  test('never lets more through at once than it holds, however long nobody came', () => {
    const bucket = new TokenBucket(5, 2, 0);
    assert.equal(through(bucket, 1_000_000, 10), 5);
  });

  test('takes one more for each 16 KiB of work beyond the first, and nothing for less', () => {
    const bucket = new TokenBucket(5, 2, 0);
    bucket.take(0);
    bucket.charge(16 * 1024);
    bucket.charge(0);
    assert.equal(through(bucket, 0, 10), 4);
    bucket.charge(3 * 16 * 1024);
    assert.equal(through(bucket, 1000, 10), 0, 'two were owed');
    assert.equal(through(bucket, 1500, 10), 1);
  });
});

describe('strikes', () => {
  test('are too many once so many fall within the window, of which old ones are no part', () => {
    const strikes = new Strikes(3, 100);
    assert.deepEqual(
      [0, 50, 100, 149].map((now) => strikes.add(now)),
      [false, false, false, true],
    );
    assert.deepEqual(
      [249, 250, 251].map((now) => strikes.add(now)),
      [false, false, true],
    );
  });
});

describe('a quota', () => {
  test('lets each key have so many in a window, which is the same for all', () => {
    const quota = new Quota(() => 2, 100);
    const take = (key: string, now: number) => quota.take(key, now);
    assert.deepEqual([take('a', 10), take('a', 20), take('a', 109)], [true, true, false]);
    assert.deepEqual([take('b', 109), take('b', 109), take('b', 109)], [true, true, false]);
    assert.deepEqual([take('a', 110), take('b', 110)], [true, true]);
  });

  test('asks for its limit each time', () => {
    let limit = 1;
    const quota = new Quota(() => limit, 100);
    assert.deepEqual([quota.take('a', 0), quota.take('a', 0)], [true, false]);
    limit = 2;
    assert.equal(quota.take('a', 0), true);
  });

  test('is spent for what is more than what is left, and not for less', () => {
    const quota = new Quota(() => 10, 100);
    assert.equal(quota.take('a', 0, 7), true);
    assert.deepEqual(
      [quota.isSpent('a', 0, 3), quota.isSpent('a', 0, 4), quota.isSpent('b', 0, 10)],
      [false, true, false],
    );
    assert.equal(quota.take('a', 0, 4), false);
    assert.equal(quota.take('a', 0, 3), true, 'what was refused took nothing');
  });

  test('takes back what was taken in its window, and nothing of one before', () => {
    const quota = new Quota(() => 3, 100);
    quota.take('a', 0, 3);
    quota.giveBack('a', 0);
    assert.deepEqual([quota.isSpent('a', 0), quota.isSpent('a', 0, 2)], [false, true]);
    quota.giveBack('a', 0, 2);
    assert.equal(quota.take('a', 99, 3), true);
    quota.take('a', 100, 3);
    quota.giveBack('a', 99, 3);
    assert.equal(quota.isSpent('a', 100), true);
    quota.giveBack('b', 100, 5);
    assert.equal(quota.take('b', 100, 4), false, 'nobody gets more by giving back');
  });

  test('tells in how many whole seconds its window ends, one at least', () => {
    const quota = new Quota(() => 1, 5000);
    quota.take('a', 1000);
    assert.deepEqual(
      [1000, 1001, 2000, 5500, 6000].map((now) => quota.secondsLeft(now)),
      [5, 5, 4, 1, 1],
    );
  });

  test('counts no more than 100,000 keys: beyond that it forgets the one that came first', () => {
    const quota = new Quota(() => 1, 100);
    for (let key = 0; key < 100_000; key += 1) quota.take(String(key), 0);
    assert.deepEqual([quota.isSpent('0', 0), quota.isSpent('1', 0)], [true, true]);
    quota.take('one more', 0);
    assert.deepEqual([quota.isSpent('0', 0), quota.isSpent('1', 0)], [false, true]);
  });
});

describe('several quotas', () => {
  const shares = (...limits: number[]) =>
    limits.map((limit) => ({ quota: new Quota(() => limit, 100), key: 'a', amount: 2 }));

  test('are all taken of, or none where one of them has too little: the first such one is told', () => {
    const [wide, narrow, none] = shares(4, 2, 1);
    assert.ok(wide && narrow && none);
    assert.equal(takeAll([wide, narrow, none], 0), none);
    assert.equal(takeAll([wide, narrow], 0), null);
    assert.equal(takeAll([none, wide, narrow], 0), none);
    assert.equal(takeAll([wide, narrow], 0), narrow);
    assert.equal(takeAll([wide], 0), null, 'a refusal took nothing of it');
  });

  test('are all given back together', () => {
    const both = shares(2, 2);
    takeAll(both, 0);
    giveBackAll(both, 0);
    assert.equal(takeAll(both, 0), null);
  });
});

describe('holdings', () => {
  test('let each have as many at a time as the limit says, and one more for each that is released', () => {
    const holdings = new Holdings(() => 2);
    const takes = () => [holdings.take('a'), holdings.take('a'), holdings.take('a')];
    assert.deepEqual(takes(), [true, true, false]);
    assert.equal(holdings.take('b'), true);
    holdings.release('a');
    assert.deepEqual(takes(), [true, false, false]);
    holdings.release('a');
    holdings.release('a');
    assert.deepEqual(takes(), [true, true, false]);
  });

  test('owe nothing to one who has none', () => {
    const holdings = new Holdings(() => 1);
    holdings.release('a');
    assert.deepEqual([holdings.take('a'), holdings.take('a')], [true, false]);
  });
});
