/** Somebody types, or has stopped. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, User } from '../kinds.ts';
import { nameOf } from '../said.ts';
import { event } from './kind.ts';
import { adminId, adminIsNamed, inGroup } from './payload.ts';

export const Typing = inGroup(
  'TYPING',
  { adminId, user: Type.Optional(User), typing: Type.Boolean() },
  { allOf: [adminIsNamed] },
);

export const TypingState = Type.Object({
  type: Type.Literal('TYPING'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: User,
  typing: Type.Boolean(),
});

export const typingState = event({
  payload: TypingState,
  channel: 'TYPING_STATE',
  scope: 'group',
  stored: false,
  summary: 'Somebody types, or has stopped. Not stored, no seq.',
  inWords: (state: Static<typeof TypingState>) =>
    `-- ${nameOf(state)} ${state.typing ? 'is typing' : 'stopped typing'}`,
  accepts: {
    TYPING: {
      summary: 'Somebody types, or has stopped. Never stored.',
      by: { customer: { typing: Typing }, admin: { typing: Typing }, server: { event: Typing } },
    },
  },
});
