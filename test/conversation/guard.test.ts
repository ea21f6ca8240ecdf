/** [P-9] What an address may do, whatever number of sockets it uses. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RefusedError } from '../../schemas/errors.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Guard, type Visitor } from '../../src/conversation/guard.ts';

const guardWith = (settings: Record<string, string>) => new Guard(readSettings(settings));

/** What an address is refused, and `null` where it is not. */
function refused(work: () => void): string | null {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof RefusedError && error.refusal.code === 'rate_limited', String(error));
    const { message, retryAfter = 0 } = error.refusal;
    assert.ok(retryAfter > 0 && retryAfter <= 60, message);
    assert.ok(message.endsWith(`: wait ${retryAfter} s`), message);
    return message.replace(/:.*/, '');
  }
  return null;
}
const knocks = (visitor: Visitor) => refused(() => visitor.knock());
const claims = (visitor: Visitor, dealerId = 'd1') => refused(() => visitor.claim(dealerId));
const isBarred = (visitor: Visitor) => refused(() => visitor.mustNotBeBarred());

describe('an address', () => {
  test('has as many connections as it may, and one more for each that ends', () => {
    const guard = guardWith({ MAX_CONNECTIONS_PER_ADDRESS: '2' });
    const [first, second] = [guard.enter('a'), guard.enter('a')];
    assert.ok(first && second);
    assert.equal(guard.enter('a'), null);
    assert.ok(guard.enter('b'), 'another is not concerned');
    first();
    assert.ok(guard.enter('a'));
    assert.equal(guard.enter('a'), null);
  });

  test('asks for as many sockets in a minute as it may, by whatever visitors', () => {
    const guard = guardWith({ MAX_HANDSHAKES_PER_ADDRESS: '2' });
    const asked = ['a', 'a', 'a', 'b'].map((address) => knocks(guard.visitor(address)));
    assert.deepEqual(asked, [null, null, 'too many handshakes of this address', null]);
  });

  test('claims as many groups in a minute as it may', () => {
    const guard = guardWith({ MAX_CLAIMS_PER_ADDRESS: '2' });
    const claimed = ['a', 'a', 'a', 'b'].map((address) => claims(guard.visitor(address)));
    assert.deepEqual(claimed, [null, null, 'too many new groups', null]);
  });

  test('gets back, once, what it claimed by a join that was refused', () => {
    const guard = guardWith({ MAX_CLAIMS_PER_ADDRESS: '2' });
    const [one, other] = [guard.visitor('a'), guard.visitor('a')];
    assert.deepEqual([claims(other), claims(one), claims(one)], [null, null, 'too many new groups']);
    one.wasRefused(false);
    one.wasRefused(false);
    assert.deepEqual([claims(one), claims(one)], [null, 'too many new groups']);
  });

  test('is looked at no further once too many of its joins were refused for who they were', () => {
    const guard = guardWith({ MAX_REFUSALS_PER_ADDRESS: '2' });
    const visitor = guard.visitor('a');
    visitor.wasRefused(true);
    for (let n = 0; n < 5; n += 1) visitor.wasRefused(false);
    assert.equal(isBarred(visitor), null);
    visitor.wasRefused(true);
    const barred = [visitor, guard.visitor('a'), guard.visitor('b')].map(isBarred);
    assert.deepEqual(barred, Array(2).fill('too many joins of this address were refused').concat(null));
  });
});

describe('a dealer', () => {
  test('has as many groups claimed in a minute as it may, from whatever addresses', () => {
    const guard = guardWith({ MAX_CLAIMS_PER_DEALER: '2' });
    const claimed = ['d1', 'd1', 'd1', 'd2'].map((dealerId, n) => claims(guard.visitor(`address ${n}`), dealerId));
    assert.deepEqual(claimed, [null, null, 'too many new groups', null]);
  });
});

describe('nothing is counted', () => {
  const BOUNDS = [
    'MAX_HANDSHAKES_PER_ADDRESS',
    'MAX_CLAIMS_PER_ADDRESS',
    'MAX_CLAIMS_PER_DEALER',
    'MAX_REFUSALS_PER_ADDRESS',
  ];
  const one = Object.fromEntries(BOUNDS.map((name) => [name, '1']));
  for (const [what, settings, address, holder] of [
    ['of one who has no address', one, null, null],
    ['where RATE_LIMIT is off', { ...one, RATE_LIMIT: 'off' }, 'a', null],
  ] as const) {
    test(what, () => {
      const visitor = guardWith(settings).visitor(address);
      assert.equal(visitor.holder, holder);
      for (let n = 0; n < 3; n += 1) {
        assert.deepEqual([knocks(visitor), claims(visitor), claims(visitor), isBarred(visitor)], Array(4).fill(null));
        visitor.wasRefused(true);
      }
    });
  }
});
