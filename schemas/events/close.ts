/** [P-7.2] A chat is closed. */
import { type Static, Type } from '@sinclair/typebox';
import { Author, GroupId, Id } from '../kinds.ts';
import { nameOf } from '../said.ts';
import { Waiting } from '../waiting.ts';
import { event } from './kind.ts';
import { adminIsNamed, authored, inGroup, notContrary } from './payload.ts';

export const CloseChat = inGroup(
  'CLOSE_CHAT',
  { ...authored, close: notContrary(false, 'CLOSE_CHAT closes') },
  { allOf: [adminIsNamed] },
);

/** [P-7.2] */
export const ChatClosed = Type.Object({
  type: Type.Literal('CLOSE_CHAT'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: Author,
  close: Type.Literal(true),
  waiting: Type.Optional(Waiting),
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
