/** [P-11.1] The published schemas: good JSON Schema, true of the examples, and of nothing that would be refused. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { CLOSE, ERRORS } from '../../schemas/errors.ts';
import { STORY } from '../../schemas/examples.ts';
import { sentBy } from '../../schemas/frame-kinds.ts';
import { LETTER } from '../../schemas/http-examples.ts';
import { plainObject } from '../../schemas/json-schema.ts';
import { FRAME_NAMES, FRAMES, PUBLISHED } from '../../schemas/published.ts';
import { CAST } from '../../schemas/story.ts';
import { SENDS } from '../../schemas/table.ts';
import { CLOSED, MET } from '../../schemas/words.ts';
import { identityOf, type Session } from '../../src/auth/session.ts';
import { faultsOf } from '../support/published.ts';

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
for (const schema of PUBLISHED.values()) ajv.addSchema(schema);

function assertValid(name: string, value: unknown): void {
  const validate = ajv.getSchema(`/schemas/${name}.json`);
  assert.ok(validate?.(value), `${name}: ${ajv.errorsText(validate?.errors)} in ${JSON.stringify(value)}`);
}

/** Every keyword and field name of a schema, however deep. */
function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...Object.keys(value), ...Object.values(value).flatMap(keysOf)];
}

describe('the published schemas', () => {
  for (const [name, schema] of PUBLISHED) {
    test(`${name} is JSON Schema 2020-12, and all that it refers to is published`, () => {
      assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
      assert.equal(schema.$id, `/schemas/${name}.json`);
      assert.equal(typeof schema.description, 'string');
      assert.ok(ajv.getSchema(`/schemas/${name}.json`));
      assert.deepEqual(schema, JSON.parse(JSON.stringify(schema)), 'it is plain JSON');
      assert.deepEqual(
        keysOf(schema).filter((key) => key.startsWith('x-')),
        [],
      );
    });
  }

  test('leave out of a payload what the session of its role fills in, and nothing else', () => {
    const sessions: readonly Session[] = [
      { role: 'customer', dealerId: 'd1', groupId: 'g1', minted: false },
      { role: 'admin', dealerId: 'd1', adminId: 'a1' },
      { role: 'server', dealerId: 'd1', name: 'crm' },
    ];
    for (const session of sessions) {
      const identity = Object.keys(identityOf(session));
      const schemas = Object.values(SENDS[session.role]).flat();
      for (const kind of sentBy(session.role)) {
        const accepted = schemas.find(({ properties }) => properties.type.const === kind.type);
        if (!accepted) continue;
        const needed = plainObject(accepted).required?.filter((field) => !identity.includes(field));
        assert.deepEqual(kind.payload.required, needed, kind.name);
      }
    }
  });

  test('have words for every error and every close code', () => {
    assert.deepEqual(Object.keys(MET).sort(), Object.keys(ERRORS).sort());
    assert.deepEqual(Object.keys(CLOSED).map(Number).sort(), Object.values(CLOSE).sort());
  });
});

describe('the examples', () => {
  for (const { by, title, sends, then } of STORY) {
    test(`keep to the schemas: ${title}`, () => {
      const isRefused = then.some(({ frame }) => frame.payload.code === 'invalid_payload');
      if (isRefused) assert.notEqual(faultsOf(CAST[by], sends), null);
      else assertValid(FRAME_NAMES[CAST[by]], sends);
      for (const { frame } of then) {
        assertValid('DeliveredFrame', frame);
        assert.equal(faultsOf('telle', frame), null);
        if (frame.seq !== undefined) assertValid('EventFrame', frame);
      }
    });
  }

  test('of another server are events, bare', () => {
    for (const { sends } of STORY) if (sends.channel === 'event') assertValid('Event', sends.payload);
    assertValid('DeadLetter', LETTER);
  });
});

describe('the frame schemas', () => {
  const said = { channel: 'customer_message', payload: { type: 'UPDATE_MSG', message: 'hello' }, id: 'm1' };
  const is = (name: string, frame: object) => ajv.getSchema(`/schemas/${name}.json`)?.(frame);

  test('of a role take no frame of another role', () => {
    assert.deepEqual(
      Object.values(FRAME_NAMES).map((name) => [name, is(name, said)]),
      [
        ['CustomerFrame', true],
        ['AdminFrame', false],
        ['ServerFrame', false],
        ['DeliveredFrame', false],
      ],
    );
  });

  test('take ids that are integers, unknown fields, and a record in a string', () => {
    const update = { type: 'UPDATE_LEAD', groupId: 7, dealerId: 0, message: '{"status":"won"}', colour: 'blue' };
    assert.equal(is('CustomerFrame', { channel: 'customer_update', payload: update, colour: 'blue' }), true);
  });

  for (const [what, payload] of Object.entries({
    'another role as user': { ...said.payload, user: 'admin' },
    'a text that is too long': { ...said.payload, message: 'x'.repeat(4001) },
    'an id that is no id': { ...said.payload, groupId: '@desk' },
    'no text': { type: 'UPDATE_MSG' },
  })) {
    test(`refuse ${what}`, () => assert.equal(is('CustomerFrame', { ...said, payload }), false));
  }

  test('refuse a message of an admin without a name, from another server', () => {
    const payload = { type: 'UPDATE_MSG', groupId: 'g1', user: 'admin', message: 'hello' };
    assert.equal(is('ServerFrame', { channel: 'event', payload }), false);
    assert.equal(is('ServerFrame', { channel: 'event', payload: { ...payload, adminId: 'a1' } }), true);
  });

  test('tell every kind of frame apart by its channel and type', () => {
    for (const kinds of Object.values(FRAMES)) {
      const keys = kinds.map(({ channel, type }) => `${channel} ${type}`);
      assert.equal(new Set(keys).size, keys.length);
    }
  });
});
