/** [P-7.1] A message of the chat. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, Text, User } from '../kinds.ts';
import { nameOf, plainText } from '../said.ts';
import { event } from './kind.ts';
import { adminId, adminIsNamed, type Base, inGroup, NOT_BELIEVED, narrowed, notBelieved } from './payload.ts';

const updateMsg = inGroup(
  'UPDATE_MSG',
  { adminId, user: User, ...notBelieved, message: Text },
  { allOf: [adminIsNamed] },
);
export const UpdateMsg = narrowed<
  Base<typeof updateMsg> & ({ user: 'admin'; adminId: string } | { user: 'customer' | 'bot' })
>(updateMsg);

/** [P-7.1] */
export const ChatMsg = Type.Object({
  type: Type.Literal('CHAT_MSG'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: User,
  muted: Type.Boolean(),
  unread: Type.Integer({ minimum: 0 }),
  message: Text,
});

export const chatMessage = event({
  payload: ChatMsg,
  channel: 'CHAT_MESSAGE',
  scope: 'group',
  stored: true,
  summary: 'Somebody said something in the chat.',
  inWords: (said: Static<typeof ChatMsg>) => `${nameOf(said)}: ${plainText(said.message)}`,
  accepts: {
    UPDATE_MSG: {
      summary: 'Says something in the chat.',
      by: {
        customer: { customer_message: UpdateMsg },
        admin: { admin_message: UpdateMsg },
        server: { event: UpdateMsg },
      },
      drops: NOT_BELIEVED,
    },
  },
});
