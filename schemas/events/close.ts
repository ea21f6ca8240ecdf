/** [P-7.2] A chat is closed. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, User } from '../kinds.ts';
import { nameOf } from '../said.ts';
import { event } from './kind.ts';
import { adminId, adminIsNamed, inGroup } from './payload.ts';

export const CloseChat = inGroup(
  'CLOSE_CHAT',
  { adminId, user: Type.Optional(User), close: Type.Optional(Type.Literal(true)) },
  { allOf: [adminIsNamed] },
);

/** [P-7.2] */
export const ChatClosed = Type.Object({
  type: Type.Literal('CLOSE_CHAT'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: User,
  close: Type.Literal(true),
});

export const chatClosed = event({
  payload: ChatClosed,
  channel: 'CLOSE_CHAT',
  scope: 'group',
  stored: true,
  summary: 'The chat was closed.',
  inWords: (closed: Static<typeof ChatClosed>) => `-- closed by ${nameOf(closed)}`,
  accepts: {
    CLOSE_CHAT: {
      summary: 'Closes the chat.',
      by: {
        customer: { close_chat: CloseChat },
        admin: { close_chat: CloseChat },
        server: { event: CloseChat },
      },
      drops: ['close'],
    },
  },
});
