/** [P-2.3, P-2.4, P-2.7, P-5, P-6.1] What is read of a payload, and what is said of one that is wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RefusedError } from '../../schemas/errors.ts';
import type { Role } from '../../schemas/kinds.ts';
import { isJsonObject, kindOf } from '../../src/protocol/checker.ts';
import {
  BadFrame,
  bodyDecoder,
  decodeEnvelope,
  decodeJoin,
  decodeKey,
  isKey,
  isKnownChannel,
} from '../../src/protocol/decode.ts';

const refusalOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
  return assert.fail('taken');
};

/** What is wrong, as `path: message`, with a payload of another server's. */
const wrong = (payload: object, channel = 'event', role: Role = 'server') => {
  const { type } = { type: undefined, ...payload };
  const { code, message, details = [] } = refusalOf(() => bodyDecoder(role, channel, type)(payload));
  assert.equal(code, 'invalid_payload');
  const told = details.map((detail) => `${detail.path}: ${detail.message}`);
  assert.equal(message, told[0]?.slice(1));
  return told;
};
const read = (payload: { type: string; [field: string]: unknown }) =>
  bodyDecoder('server', 'event', payload.type)(payload);

const AT = { dealerId: 'd1', groupId: 'g1' };
const SAYS = { type: 'UPDATE_MSG', ...AT, user: 'customer', message: 'hi' };
const USER = { type: 'UPDATE_USER', ...AT };

describe('a value', () => {
  it('is named by its kind, and by nothing of itself', () => {
    const kinds = [undefined, null, [1, 2], 'abc', 7, 7.5, {}, true].map(kindOf);
    assert.deepEqual(kinds, [
      'nothing',
      'null',
      'an array of 2',
      'a string of length 3',
      'an integer',
      'a number',
      'an object',
      'a boolean',
    ]);
  });

  it('is an object where it is neither null nor an array', () => {
    assert.equal(isJsonObject({}), true);
    for (const value of [null, [], 'x', 7, undefined]) assert.equal(isJsonObject(value), false);
  });
});

describe('a payload', () => {
  it('is read as it came where all of it is known, and else without the rest, ids as strings', () => {
    assert.equal(read(SAYS), SAYS);
    assert.deepEqual(read({ ...SAYS, more: 1 }), SAYS);
    assert.deepEqual(read({ ...SAYS, dealerId: 7, groupId: 0 }), { ...SAYS, dealerId: '7', groupId: '0' });
    assert.deepEqual(Object.keys(read({ ...SAYS, adminId: undefined })).sort(), Object.keys(SAYS).sort());
  });

  for (const [words, payload, told] of [
    ['misses what is required', { type: 'UPDATE_MSG', ...AT }, ['/user: required', '/message: required']],
    [
      'has text of no length',
      { ...SAYS, message: '' },
      ['/message: expected text of 1 to 4000 characters, got a string of length 0'],
    ],
    [
      'has a number for text',
      { ...SAYS, message: 7 },
      ['/message: expected text of 1 to 4000 characters, got an integer'],
    ],
    [
      'has ids that are none',
      { ...SAYS, dealerId: 'a b', groupId: '@a' },
      [
        '/dealerId: expected 1 to 64 of A-Z a-z 0-9 . _ : @ -, or a non-negative integer, got a string of length 3',
        '/groupId: expected 1 to 64 of A-Z a-z 0-9 . _ : @ -, not beginning with @, or a non-negative integer, got a string of length 2',
      ],
    ],
    [
      'has a word of no list',
      { ...SAYS, user: 'owner' },
      ['/user: expected one of customer, admin, bot, got a string of length 5'],
    ],
    ['names no admin', { ...SAYS, user: 'admin' }, ['/adminId: required where user is "admin"']],
    [
      'has another than the one word',
      { type: 'CLOSE_CHAT', ...AT, close: false },
      ['/close: expected true, got a boolean'],
    ],
    [
      'has a word that is none',
      { type: 'CREATE_LEAD_INTENT', ...AT, message: { intent: 'a\n' } },
      [
        '/message/intent: expected a string of 1 to 64 characters, none of them a control character, got a string of length 2',
      ],
    ],
    [
      'has another kind in a record',
      { ...USER, message: { name: 7 } },
      ['/message/name: expected string or null, got an integer'],
    ],
    [
      'has another kind within one',
      { type: 'UPDATE_LEAD', ...AT, message: { vehicle: { year: [] } } },
      ['/message/vehicle/year: expected integer or string or null, got an array of 0'],
    ],
    ['has no record', { ...USER, message: [] }, ['/message: expected object, got an array of 0']],
  ] as const) {
    it(`that ${words} is refused, and says where and why`, () => assert.deepEqual(wrong(payload), told));
  }

  it('has at most five things told of it', () => {
    const told = wrong({
      type: 'UPDATE_LEAD',
      ...AT,
      message: { name: 1, email: 1, phone: 1, source: 1, status: 1, comments: 1 },
    });
    assert.deepEqual(
      told.map((each) => each.split(':')[0]),
      ['name', 'firstName', 'email', 'phone', 'source', 'status', 'comments']
        .filter((name) => name !== 'firstName')
        .slice(0, 5)
        .map((name) => `/message/${name}`),
    );
  });

  it('holds a record as an object, or as a string that holds one', () => {
    assert.deepEqual(read({ ...USER, message: '{"name":"Ann","more":[1]}' }), {
      ...USER,
      message: { name: 'Ann', more: [1] },
    });
    assert.deepEqual(wrong({ ...USER, message: '[]' }), ['/message: expected object, got an array of 0']);
    const { message, details } = refusalOf(() => read({ ...USER, message: '{' }));
    assert.equal(message, 'message is not JSON');
    assert.deepEqual(details, [
      { path: '/message', message: 'expected an object, or a string that holds a JSON object' },
    ]);
    assert.deepEqual(read({ ...SAYS, message: '{"a":1}' }), { ...SAYS, message: '{"a":1}' });
  });

  it('holds a record of five objects within each other at most, and of 8 KiB', () => {
    const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) });
    read({ ...USER, message: nested(4) });
    assert.deepEqual(wrong({ ...USER, message: nested(5) }), ['/message: expected nesting of at most 5']);
    assert.deepEqual(wrong({ ...USER, message: { a: [[[[[]]]]] } }), ['/message: expected nesting of at most 5']);
    const of = (bytes: number) => ({ a: 'é'.repeat((bytes - 8) / 2) });
    read({ ...USER, message: of(8192) });
    assert.deepEqual(wrong({ ...USER, message: of(8194) }), [
      '/message: expected at most 8192 bytes of JSON, got 8194',
    ]);
  });
});

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
