/** [P-4, P-5, P-6] What every door makes of what somebody sends. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RefusedError } from '../../schemas/errors.ts';
import type { Session } from '../../src/auth/session.ts';
import { commandOf, presenceCommand } from '../../src/commands/command.ts';

const CUSTOMER: Session = { role: 'customer', dealerId: 'd1', groupId: 'g1', minted: false };
const ADMIN: Session = { role: 'admin', dealerId: 'd1', adminId: 'a1' };
const SERVER: Session = { role: 'server', dealerId: 'd1', name: 'crm' };

const hello = () => ({ type: 'UPDATE_MSG', message: 'hello' });

describe('a command', () => {
  it('is the payload with the identity of its session, and whose it is', () => {
    const { body, role, sender, turn, minted } = commandOf(CUSTOMER, 'customer_message', hello());
    assert.deepEqual(body, { ...hello(), dealerId: 'd1', groupId: 'g1', user: 'customer' });
    assert.deepEqual([role, sender, turn, minted], ['customer', 'customer:g1', 'd1', false]);
  });

  it("is a minted customer's where the session is, and nobody else's", () => {
    assert.equal(commandOf({ ...CUSTOMER, minted: true }, 'customer_message', hello()).minted, true);
    assert.equal(commandOf(ADMIN, 'admin_message', { ...hello(), groupId: 'g1' }).minted, false);
  });

  it('has the id of its frame as its key, and of another server the one of its payload before that', () => {
    const keyOf = (session: Session, channel: string, payload: object, id?: string) =>
      commandOf(session, channel, { ...hello(), ...payload }, id).key;
    const event = { groupId: 'g1', user: 'bot' };
    assert.equal(keyOf(CUSTOMER, 'customer_message', {}), null);
    assert.equal(keyOf(CUSTOMER, 'customer_message', { id: 'own' }, 'frame'), 'frame');
    assert.equal(keyOf(SERVER, 'event', event, 'frame'), 'frame');
    assert.equal(keyOf(SERVER, 'event', { ...event, id: 'own' }, 'frame'), 'own');
  });

  it('is none where an identity is no word, though the type does not know that field', () => {
    const mute = (user: unknown) => commandOf(ADMIN, 'mute_bot', { type: 'MUTE_BOT', groupId: 'g1', user });
    assert.equal(mute('admin').body.type, 'MUTE_BOT');
    for (const [user, kind] of [
      [{}, 'an object'],
      [null, 'null'],
      [true, 'a boolean'],
    ] as const) {
      assert.throws(
        () => mute(user),
        ({ refusal }: RefusedError) => {
          const message = `expected a string or an integer, got ${kind}`;
          assert.deepEqual(refusal, {
            code: 'invalid_payload',
            message: `user: ${message}`,
            details: [{ path: '/user', message }],
          });
          return true;
        },
      );
    }
  });

  it('is one where an identity is a number, though the type does not know that field', () => {
    const payload = { type: 'UPDATE_LEAD', groupId: 'g1', adminId: 7, message: { name: 'Ann' } };
    assert.equal(commandOf({ ...ADMIN, adminId: '7' }, 'admin_update', payload).sender, 'admin:7');
  });
});

describe('a command of presence', () => {
  it('tells who is here or has gone, where, and by what a customer came in', () => {
    const customer = { role: 'customer', dealerId: 'd1', groupId: 'g1' } as const;
    assert.deepEqual(presenceCommand(customer, 'n1', true, { by: 'kept' }), {
      role: 'customer',
      sender: 'customer:g1',
      key: null,
      body: { type: 'CLIENT_JOIN', dealerId: 'd1', groupId: 'g1', online: true, node: 'n1', entry: { by: 'kept' } },
    });
    assert.deepEqual(presenceCommand({ role: 'admin', dealerId: 'd1', adminId: 'a1' }, 'n1', false), {
      role: 'admin',
      sender: 'admin:a1',
      key: null,
      body: { type: 'ADMIN_JOIN', dealerId: 'd1', adminId: 'a1', online: false, node: 'n1' },
    });
  });
});
