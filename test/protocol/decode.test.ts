/** [P-2.3, P-3, P-5, P-6] What a frame asks for: its envelope, its channel, and what comes on it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BadFrame,
  bodyDecoder,
  decodeEnvelope,
  decodeJoin,
  decodeKey,
  isKey,
  isKnownChannel,
} from '../../src/protocol/decode.ts';
import { refusalOf } from '../support/refusal.ts';

describe('a channel', () => {
  it('is known where any role sends on it, joins by it or asks by it', () => {
    for (const channel of ['customer_message', 'event', 'client_join', 'ping', 'refresh'])
      assert.ok(isKnownChannel(channel), channel);
    for (const channel of ['', 'toString', 'CHAT_MESSAGE', 'Ping'])
      assert.equal(isKnownChannel(channel), false, channel);
  });

  it('takes the types that its role sends there', () => {
    assert.deepEqual(
      refusalOf(() => bodyDecoder('customer', 'admin_message', 'UPDATE_MSG')),
      {
        code: 'forbidden',
        message: 'a customer does not send on admin_message',
      },
    );
    assert.deepEqual(
      refusalOf(() => bodyDecoder('customer', 'nowhere', 'UPDATE_MSG')),
      {
        code: 'unknown_channel',
        message: 'there is no such channel',
      },
    );
    const message = 'expected one of UPDATE_MSG';
    assert.deepEqual(
      refusalOf(() => bodyDecoder('customer', 'customer_message', 'READ')),
      {
        code: 'invalid_payload',
        message: `type: ${message}`,
        details: [{ path: '/type', message }],
      },
    );
  });
});

describe('an envelope', () => {
  const bad = (text: string) => {
    try {
      decodeEnvelope(text);
    } catch (error) {
      if (error instanceof BadFrame) return [error.refusal.code, error.message, error.id];
      throw error;
    }
    return assert.fail('taken');
  };

  it('is read without what it has besides', () => {
    assert.deepEqual(decodeEnvelope('{"channel":"ping","payload":{"a":1},"id":"i1","more":1}'), {
      channel: 'ping',
      payload: { a: 1 },
      id: 'i1',
    });
  });

  it('that is none is refused by the id that it asks to be answered by, where that is one', () => {
    assert.deepEqual(bad('{'), ['bad_frame', 'the frame is not JSON', undefined]);
    assert.deepEqual(bad('7'), ['bad_frame', 'payload: expected object, got an integer', undefined]);
    assert.deepEqual(bad('{"payload":{},"id":"i1"}'), ['bad_frame', 'channel: required', 'i1']);
    const [, , id] = bad('{"channel":"ping","payload":{},"id":"a b"}');
    assert.equal(id, undefined);
  });

  it('is answered by ids of 1 to 64 characters, none of them @', () => {
    for (const key of ['a', 'A-9._:', 'x'.repeat(64)]) assert.ok(isKey(key), key);
    for (const key of ['', 'a b', '@', 'x'.repeat(65), 7, null]) assert.equal(isKey(key), false, String(key));
  });

  it('of another server may have its id in the payload', () => {
    assert.equal(decodeKey({}), undefined);
    assert.equal(decodeKey({ id: 'i1' }), 'i1');
    const message = 'expected 1 to 64 of A-Z a-z 0-9 . _ : -';
    for (const id of ['', null, 7]) {
      assert.deepEqual(
        refusalOf(() => decodeKey({ id })),
        {
          code: 'invalid_payload',
          message: `id: ${message}`,
          details: [{ path: '/id', message }],
        },
      );
    }
  });
});

describe('a join', () => {
  it('names how far it has seen in whole numbers', () => {
    for (const [seen, rule] of [
      [1.5, 'expected integer, got a number'],
      [-1, 'expected integer to be greater or equal to 0, got an integer'],
    ] as const) {
      const join = { type: 'CLIENT_JOIN', dealerId: 'd1', since: { g1: seen } };
      assert.deepEqual(refusalOf(() => decodeJoin.client_join(join)).details, [{ path: '/since/g1', message: rule }]);
    }
  });

  it('of a server may be of all dealers, that of nobody else', () => {
    assert.deepEqual(decodeJoin.server_join({ type: 'SERVER_JOIN', dealerId: '*', more: 1 }), {
      type: 'SERVER_JOIN',
      dealerId: '*',
    });
    const { details } = refusalOf(() => decodeJoin.server_join({ type: 'SERVER_JOIN', dealerId: '**' }));
    assert.deepEqual(details, [
      {
        path: '/dealerId',
        message: 'expected *, or 1 to 64 of A-Z a-z 0-9 . _ : @ -, or a non-negative integer, got a string of length 2',
      },
    ]);
    refusalOf(() => decodeJoin.admin_join({ type: 'ADMIN_JOIN', dealerId: '*', adminId: 'a1' }));
    refusalOf(() => decodeJoin.client_join({ type: 'CLIENT_JOIN', dealerId: '*' }));
  });
});
