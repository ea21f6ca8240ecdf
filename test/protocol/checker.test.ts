/** [P-2.4, P-2.7, P-5, P-6.1] What is read of a payload, and what is said of one that is wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from '@sinclair/typebox';
import { DealerSettings } from '../../schemas/dealers.ts';
import type { Role } from '../../schemas/kinds.ts';
import { checker, isJsonObject, kindOf } from '../../src/protocol/checker.ts';
import { bodyDecoder } from '../../src/protocol/decode.ts';
import { refusalOf } from '../support/refusal.ts';

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
      ['/close: expected anything but false: CLOSE_CHAT closes, got a boolean'],
    ],
    [
      'has another than the one word, as text',
      { type: 'UPDATE_GROUP', ...AT, user: 'bot', online: true },
      ['/user: expected "customer", got a string of length 3'],
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
    read({ ...USER, message: { a: null, b: [null] } });
    assert.deepEqual(wrong({ ...USER, message: nested(5) }), ['/message: expected nesting of at most 5']);
    assert.deepEqual(wrong({ ...USER, message: { a: [[[[[]]]]] } }), ['/message: expected nesting of at most 5']);
    const of = (bytes: number) => ({ a: 'é'.repeat((bytes - 8) / 2) });
    read({ ...USER, message: of(8192) });
    assert.deepEqual(wrong({ ...USER, message: of(8194) }), [
      '/message: expected at most 8192 bytes of JSON, got 8194',
    ]);
  });
});

describe('whatever has a schema', () => {
  it('is told a pattern that it breaks in the words of its schema, where there are some', () => {
    const told = (schema: Parameters<typeof checker>[0], value: unknown) =>
      refusalOf(() => checker(schema)(value)).message;
    assert.equal(
      told(DealerSettings, { email: 'nowhere' }),
      'email: expected an email address such as desk@cars.example, got a string of length 7',
    );
    assert.equal(
      told(Type.Object({ a: Type.String({ pattern: '^b$' }) }), { a: 'c' }),
      "a: expected string to match '^b$', got a string of length 1",
    );
  });

  it('is taken as it is where it need not be an object', () => {
    const either = checker(Type.Union([Type.Object({ a: Type.Number() }), Type.Array(Type.Number())]));
    const [object, array] = [{ a: 1, b: 2 }, [1]];
    assert.deepEqual([either(object), either(array)], [object, array]);
    assert.equal(refusalOf(() => either(7)).message, 'payload: expected object or array, got an integer');
  });
});
