/** [P-11.4] A conversation is erased. */
import { Type } from '@sinclair/typebox';
import { GroupId, Id } from '../kinds.ts';
import { event } from './kind.ts';

/** [P-11.4] A conversation was erased: nobody of it is online any more, and nothing of it is kept. */
export const GroupErased = Type.Object({
  type: Type.Literal('ERASE_GROUP'),
  dealerId: Id,
  groupId: GroupId,
  user: Type.Literal('customer'),
  online: Type.Literal(false),
});

export const groupErased = event({
  payload: GroupErased,
  channel: 'CHAT_STATE',
  scope: 'group',
  stored: false,
  summary: 'The conversation was erased, with all that was known of its customer. Not stored, no seq.',
  inWords: () => '-- the conversation was erased',
  accepts: {},
});
