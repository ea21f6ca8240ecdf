/** [P-7.2] Mutes: the bot is silenced in a chat, or speaks again. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, OneOf } from '../kinds.ts';
import { adminIn } from '../said.ts';
import { Waiting } from '../waiting.ts';
import { event } from './kind.ts';
import { inGroup, notContrary } from './payload.ts';

export const MuteBot = inGroup('MUTE_BOT', {
  adminId: Id,
  muted: notContrary(false, 'UNMUTE_BOT lets the bot speak'),
});
export const UnmuteBot = inGroup('UNMUTE_BOT', {
  adminId: Id,
  muted: notContrary(true, 'MUTE_BOT silences the bot'),
});

/** [P-7.2] */
export const MuteStatus = Type.Object({
  type: Type.Literal('MUTE_STATUS'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Id,
  muted: Type.Boolean(),
  user: Type.Optional(Type.Literal('customer', { description: 'who brought it about, where the admin named did not' })),
  waiting: Type.Optional(Waiting),
  reason: Type.Optional(
    OneOf(['unanswered', 'alone', 'hours'], { description: 'why a mute ended by itself: nobody ended it' }),
  ),
});

export const muteStatus = event({
  payload: MuteStatus,
  channel: 'MUTE_STATE',
  scope: 'group',
  stored: true,
  summary: 'The bot was muted in the chat, or may speak again.',
  inWords: ({ adminId, muted, user }: Static<typeof MuteStatus>) =>
    user === 'customer'
      ? `-- the customer wrote again: the take-over of ${adminIn(adminId)} is over`
      : `-- ${adminIn(adminId)} ${muted ? 'took over from the bot' : 'let the bot speak again'}`,
  accepts: {
    MUTE_BOT: {
      summary: 'Mutes the bot in this chat.',
      by: { admin: { mute_bot: MuteBot }, server: { event: MuteBot } },
      drops: ['muted'],
    },
    UNMUTE_BOT: {
      summary: 'Lets the bot speak in this chat again.',
      by: { admin: { mute_bot: UnmuteBot }, server: { event: UnmuteBot } },
      drops: ['muted'],
    },
  },
});
