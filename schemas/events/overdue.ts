/** [P-12.2] An answer is overdue. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, Instant } from '../kinds.ts';
import { Answering } from '../waiting.ts';
import { DESK_SCOPE, event } from './kind.ts';

/** [P-12.2] Nobody has answered the customer for longer than the dealer wants. */
export const Overdue = Type.Object({
  type: Type.Literal('OVERDUE'),
  dealerId: Id,
  groupId: GroupId,
  user: Type.Literal('customer'),
  since: Instant,
  for: Answering,
});

export const overdue = event({
  payload: Overdue,
  channel: 'CHAT_STATE',
  scope: DESK_SCOPE,
  stored: true,
  erased: { user: 'customer', since: '1970-01-01T00:00:00.000Z', for: 'admin' },
  summary: 'A customer waits for an answer for longer than the dealer wants: of a bot, or of an admin.',
  inWords: (told: Static<typeof Overdue>) => `-- the customer waits for ${told.for === 'bot' ? 'the bot' : 'an agent'}`,
  accepts: {},
});
