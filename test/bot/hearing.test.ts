/** The meaning of events for a bot, by plain values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../schemas/delivered.ts';
import { meaningOf } from '../../src/bot/hearing.ts';

const ids = { dealerId: 'd1', groupId: 'g1' };
const forBot = { since: '2026-11-20T14:00:00.000Z', for: 'bot' } as const;
const said = { type: 'CHAT_MSG', ...ids, muted: false, unread: 0, message: 'x' } as const;

/** Events while the message of seq 5 is answered: whether the conversation waits, and the answer stops. */
const CASES: Readonly<Record<string, readonly [event: Event, waits: boolean, stops: boolean]>> = {
  'a customer': [{ ...said, user: 'customer', waiting: forBot }, true, false],
  'an agent, though nothing is muted': [{ ...said, user: 'admin', adminId: 'a1', waiting: null }, false, true],
  'the answer of another instance': [{ ...said, user: 'bot', replyTo: 5, waiting: null }, false, true],
  'the answer of another, with more to answer': [{ ...said, user: 'bot', replyTo: 5, waiting: forBot }, true, true],
  'an answer to an earlier message': [{ ...said, user: 'bot', replyTo: 3, waiting: forBot }, true, false],
  'an agent who is let go': [{ type: 'ASSIGNED', ...ids, assignee: null, reason: 'gone' }, false, false],
  'an erasure': [{ type: 'ERASE_GROUP', ...ids, user: 'customer', online: false }, false, true],
};
for (const [what, [event, waits, stops]] of Object.entries(CASES))
  test(`${what}: it ${waits ? 'waits' : 'does not wait'}, and ${stops ? 'stops' : 'goes on'}`, () => {
    assert.deepEqual(meaningOf(event, 5), { waits, stops });
  });
