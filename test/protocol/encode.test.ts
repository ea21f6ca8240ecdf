/** [P-2.3, P-8.1, P-9] Frames, to the byte. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ackFrame,
  ackPayload,
  errorFrame,
  eventFrame,
  instant,
  PONG,
  passingFrame,
} from '../../src/protocol/encode.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const WHEN = '2026-01-02T03:04:05.678Z';

describe('a frame', () => {
  it('of a stored event says its channel, what happened, and where it is in the log', () => {
    const event = { id: 'e1', scope: 'g1', seq: 7, at: AT, type: 'CHAT_MSG', payload: '{"a":1}' } as const;
    assert.deepEqual(JSON.parse(eventFrame(event)), {
      channel: 'CHAT_MESSAGE',
      payload: { a: 1 },
      id: 'e1',
      scope: 'g1',
      seq: 7,
      at: WHEN,
    });
  });

  it('of what is passed on says the channel and what happened alone', () => {
    assert.deepEqual(JSON.parse(passingFrame('TYPING', '{"a":1}')), { channel: 'TYPING_STATE', payload: { a: 1 } });
  });

  it('that acks repeats the id, and says where the event is that was stored', () => {
    assert.deepEqual(JSON.parse(ackFrame('i1', null)), { channel: 'ack', payload: { id: 'i1' } });
    for (const duplicate of [true, false]) {
      const receipt = { scope: 'g1', seq: 7, at: AT, duplicate };
      const payload = { id: 'i1', scope: 'g1', seq: 7, at: WHEN, duplicate };
      assert.deepEqual(JSON.parse(ackFrame('i1', receipt)), { channel: 'ack', payload });
      assert.deepEqual(ackPayload('i1', receipt), payload, 'which is what HTTP answers');
    }
  });

  it('of an error says what is wrong, and repeats the id and tells the details where there are any', () => {
    const refusal = { code: 'rate_limited', message: 'slowly' } as const;
    const payload = { ...refusal, retryable: true };
    assert.deepEqual(JSON.parse(errorFrame(undefined, refusal)), { channel: 'error', payload });
    const details = [{ path: '/a', message: 'b' }];
    assert.deepEqual(JSON.parse(errorFrame('i1', { ...refusal, code: 'forbidden', details })), {
      channel: 'error',
      payload: { ...payload, code: 'forbidden', retryable: false, id: 'i1', details },
    });
  });

  it('that answers a ping says nothing more', () => assert.equal(PONG, '{"channel":"pong","payload":{}}'));
});

describe('a time', () => {
  it('is written with milliseconds, and is the one that was asked for, whichever was asked for before', () => {
    assert.equal(instant(0), '1970-01-01T00:00:00.000Z');
    for (const [at, text] of [
      [AT, WHEN],
      [AT, WHEN],
      [AT + 1, '2026-01-02T03:04:05.679Z'],
      [AT, WHEN],
    ] as const) {
      assert.equal(instant(at), text);
    }
  });
});
