/** [P-3.6] Which part of a `since` a session is told, on real SQLite. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Session } from '../../src/auth/session.ts';
import { commandOf } from '../../src/commands/command.ts';
import type { House } from '../../src/conversation/house.ts';
import { mayRecover, ownScopes, recover } from '../../src/conversation/recovery.ts';
import { withHouse } from '../support/house.ts';
import { Reading } from '../support/metrics.ts';
import { refusalOf } from '../support/refusal.ts';

const CUSTOMER: Session = { role: 'customer', dealerId: 'd1', groupId: 'g1', minted: false };
const ADMIN: Session = { role: 'admin', dealerId: 'd1', adminId: 'a1' };
const ALL: Session = { role: 'server', dealerId: '*', name: 'ops' };
const BOT: Session = { role: 'server', dealerId: 'd1', name: 'bot' };

describe('the scopes of a session', () => {
  it('are those of its own logs; of a server of all dealers, none', () => {
    assert.deepEqual(ownScopes(CUSTOMER), ['g1', '@dealer']);
    for (const session of [ADMIN, BOT]) assert.deepEqual(ownScopes(session), ['@dealer', '@desk']);
    assert.deepEqual(ownScopes(ALL), []);
  });

  it('may be recovered where it may see them; what a customer knows of and may not see is passed over', () => {
    const formerly: Session = { ...CUSTOMER, formerly: 'g0' };
    for (const scope of ['g1', '@dealer']) assert.equal(mayRecover(CUSTOMER, scope), true);
    for (const scope of ['g1', 'g2', '@dealer', '@desk']) assert.equal(mayRecover(ADMIN, scope), true);
    assert.deepEqual([mayRecover(CUSTOMER, '@desk'), mayRecover(formerly, 'g0')], [false, false]);
    for (const [session, scope] of [
      [CUSTOMER, 'g2'],
      [CUSTOMER, 'g0'],
      [ADMIN, '@other'],
    ] as const) {
      assert.equal(refusalOf(() => mayRecover(session, scope)).code, 'forbidden');
    }
    const { code, details } = refusalOf(() => mayRecover(ALL, 'g1'));
    assert.deepEqual([code, details?.[0]?.path], ['invalid_payload', '/since']);
  });
});

describe('a scope', () => {
  const say = async ({ journal }: House, groupId: string, count = 1) => {
    const says = () => commandOf(BOT, 'event', { type: 'UPDATE_MSG', groupId, user: 'bot', message: 'x' });
    await Promise.all(Array.from({ length: count }, () => journal.append(says())));
  };
  /** Whether each scope of a `since` is told whole. */
  const whole = async (house: House, since: Record<string, number>, session: Session = ADMIN, isOther = false) =>
    (await recover(house, session, since, isOther)).recovered;

  it('is told whole where no more than 500 of its events were missed, and it has not seen more than there are', () =>
    withHouse({}, async (house) => {
      await say(house, 'g1', 501);
      for (const [seen, recovered] of [
        [0, false],
        [1, true],
        [501, true],
        [502, false],
      ] as const) {
        assert.deepEqual(await whole(house, { g1: seen }), { g1: recovered });
      }
    }));

  it('is decided for itself, and of another log none is told whole', () =>
    withHouse({}, async (house) => {
      await say(house, 'g1', 2);
      await say(house, 'g2', 2);
      const since = { g1: 1, g2: 3, '@dealer': 0 };
      assert.deepEqual(await whole(house, since), { g1: true, g2: false, '@dealer': true });
      assert.deepEqual(await whole(house, since, ADMIN, true), { g1: false, g2: false, '@dealer': false });
    }));

  it('is not told whole where its beginning was erased, unless that was seen', () =>
    withHouse({}, async (house) => {
      await say(house, 'g1', 3);
      const body = { type: 'ERASE_GROUP', dealerId: 'd1', groupId: 'g1', erasureId: 'e1', reason: 'request' } as const;
      await house.journal.append({ role: 'server', sender: 'server:ops', key: null, body });
      await say(house, 'g1', 1);
      const tail = (await house.store.tails('d1', ['g1'])).get('g1') ?? 0;
      assert.ok(tail > 3);
      assert.deepEqual(await whole(house, { g1: 1 }), { g1: false });
      assert.deepEqual(await whole(house, { g1: tail }), { g1: true });
    }));

  it('that a customer may not see is neither told whole nor counted', () =>
    withHouse({}, async (house) => {
      await say(house, 'g1', 2);
      assert.deepEqual(await whole(house, { g1: 1, '@dealer': 9, '@desk': 0 }, CUSTOMER), {
        g1: true,
        '@dealer': false,
        '@desk': false,
      });
      const counted = new Reading(await house.metrics.text()).by('telle_recoveries_total', 'outcome');
      assert.deepEqual(counted, { whole: 1, 'not whole': 1 });
    }));

  it('has its end told, with those of the session’s own', () =>
    withHouse({}, async (house) => {
      await say(house, 'g1', 2);
      const { tails } = await recover(house, ADMIN, { g1: 0 }, false);
      assert.deepEqual([...tails.keys()].sort(), ['@dealer', '@desk', 'g1']);
      assert.equal(tails.get('g1'), 2);
    }));
});
