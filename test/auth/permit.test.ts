/** What a session may say and see, role by role. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identify, isOfDealer, maySee } from '../../src/auth/permit.ts';
import { identityOf, personOf, type Session, senderOf, sessionOf } from '../../src/auth/session.ts';

const CUSTOMER: Session = { role: 'customer', dealerId: 'd1', groupId: 'g1', minted: false };
const ADMIN: Session = { role: 'admin', dealerId: 'd1', adminId: 'a1' };
const SERVER: Session = { role: 'server', dealerId: 'd1', name: 'crm' };
const ALL: Session = { role: 'server', dealerId: '*', name: 'ops' };
const ADMIN_OF_ALL: Session = { role: 'admin', dealerId: '*', adminId: 'a1' };

const exp = 1;

describe('a session', () => {
  for (const [session, claims, ours] of [
    [CUSTOMER, { role: 'customer', dealer: 'd1', sub: 'g1', exp }, true],
    [{ ...CUSTOMER, minted: true }, { role: 'customer', dealer: 'd1', sub: 'g1', exp }, false],
    [ADMIN, { role: 'admin', dealer: 'd1', sub: 'a1', exp }, false],
    [SERVER, { role: 'server', dealer: 'd1', sub: 'crm', exp }, false],
  ] as const) {
    it(`is what its token says: ${claims.role}${ours ? ', of a token of ours' : ''}`, () =>
      assert.deepEqual(sessionOf(claims, ours), session));
  }

  it('sends under a name, by which it is found again', () => {
    assert.deepEqual([CUSTOMER, ADMIN, SERVER].map(senderOf), ['customer:g1', 'admin:a1', 'server:crm']);
    assert.deepEqual(personOf('d1', 'customer:g:1'), { role: 'customer', dealerId: 'd1', groupId: 'g:1' });
    assert.deepEqual(personOf('d1', 'admin:a:1'), { role: 'admin', dealerId: 'd1', adminId: 'a:1' });
    assert.deepEqual(personOf('d1', 'server:c:1'), { role: 'server', dealerId: 'd1', name: 'c:1' });
    for (const sender of ['admins:a1', '']) assert.equal(personOf('d1', sender), null);
  });

  it('is of its dealer alone; that of a server of all dealers, of each', () => {
    for (const session of [CUSTOMER, ADMIN, SERVER, ALL]) assert.equal(isOfDealer(session, 'd1'), true);
    for (const session of [CUSTOMER, ADMIN, SERVER, ADMIN_OF_ALL]) assert.equal(isOfDealer(session, 'd2'), false);
    assert.equal(isOfDealer(ALL, 'd2'), true);
  });

  it('sees what is its own [P-1]', () => {
    const seen = (session: Session) =>
      ['g1', 'g2', '@dealer', '@desk', '@other'].filter((scope) => maySee(session, scope));
    assert.deepEqual(seen(CUSTOMER), ['g1', '@dealer']);
    for (const session of [ADMIN, SERVER, ALL]) assert.deepEqual(seen(session), ['g1', 'g2', '@dealer', '@desk']);
  });
});

describe('[P-5] the identity of a payload', () => {
  const identified = (session: Session, payload: Record<string, unknown>) => {
    identify(session, payload);
    return payload;
  };

  it('is filled in where it is not said, and stays where it is said rightly', () => {
    for (const [session, identity] of [
      [CUSTOMER, { dealerId: 'd1', groupId: 'g1', user: 'customer' }],
      [ADMIN, { dealerId: 'd1', adminId: 'a1', user: 'admin' }],
      [SERVER, { dealerId: 'd1' }],
      [ALL, {}],
    ] as const) {
      assert.deepEqual(identityOf(session), identity);
      assert.deepEqual(identified(session, {}), identity);
      assert.deepEqual(identified(session, { ...identity, message: 'm' }), { ...identity, message: 'm' });
    }
  });

  it('may be said as a number, and is refused where it is another', () => {
    assert.deepEqual(identified({ ...CUSTOMER, groupId: '7' }, { groupId: 7 }).groupId, 7);
    for (const [session, payload, field] of [
      [CUSTOMER, { groupId: 'g2' }, 'groupId'],
      [CUSTOMER, { groupId: 7 }, 'groupId'],
      [CUSTOMER, { groupId: '' }, 'groupId'],
      [CUSTOMER, { user: 'admin' }, 'user'],
      [ADMIN, { adminId: 'a2' }, 'adminId'],
      [SERVER, { dealerId: 'd2' }, 'dealerId'],
    ] as const) {
      assert.throws(() => identify(session, payload), {
        message: `${field} is not this session's`,
        refusal: { code: 'forbidden', message: `${field} is not this session's` },
      });
    }
  });

  it("is left to the payload's own check where it is of no kind that it can have", () => {
    for (const groupId of [null, {}, [], true]) assert.deepEqual(identified(CUSTOMER, { groupId }).groupId, groupId);
  });

  it('names no admin by an adminId that is null or no text: it counts as absent', () => {
    for (const nobody of [null, '']) {
      assert.equal(identified(ADMIN, { adminId: nobody }).adminId, 'a1');
      assert.equal(identified(SERVER, { adminId: nobody }).adminId, undefined);
    }
  });

  it("leaves others' fields alone, but the admin's id that a customer sends along", () => {
    assert.equal(identified(CUSTOMER, { adminId: 'a1' }).adminId, undefined);
    assert.deepEqual(Object.keys(identified(CUSTOMER, {})), ['dealerId', 'groupId', 'user']);
    assert.equal(identified(ADMIN, { groupId: 'any' }).groupId, 'any');
    assert.equal(identified(SERVER, { adminId: 'any' }).adminId, 'any');
    assert.equal(identified(ALL, { dealerId: 'any' }).dealerId, 'any');
  });
});
