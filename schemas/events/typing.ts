/** Somebody types, or has stopped. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, Text, User } from '../kinds.ts';
import { nameOf, plainText } from '../said.ts';
import { event } from './kind.ts';
import { adminId, adminIsNamed, inGroup } from './payload.ts';

const fields = { adminId, user: Type.Optional(User), typing: Type.Boolean() };

export const Typing = inGroup('TYPING', fields, { allOf: [adminIsNamed] });

/** [P-18.2] From a server: a bot may show its answer as it grows. */
export const BotTyping = inGroup('TYPING', { ...fields, text: Type.Optional(Text) }, { allOf: [adminIsNamed] });

export const TypingState = Type.Object({
  type: Type.Literal('TYPING'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: User,
  typing: Type.Boolean(),
  text: Type.Optional(Text),
});

export const typingState = event({
  payload: TypingState,
  channel: 'TYPING_STATE',
  scope: 'group',
  stored: false,
  summary: 'Somebody types, or has stopped. Not stored, no seq.',
  inWords: (state: Static<typeof TypingState>) => {
    const growing = state.text === undefined ? '' : `: ${plainText(state.text)}`;
    return `-- ${nameOf(state)} ${state.typing ? `is typing${growing}` : 'stopped typing'}`;
  },
  accepts: {
    TYPING: {
      summary: 'Somebody types, or has stopped. Never stored.',
      by: { customer: { typing: Typing }, admin: { typing: Typing }, server: { event: BotTyping } },
    },
  },
});
