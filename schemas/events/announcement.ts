/** [P-7.2] An announcement to every chat of a dealer. */
import { type Static, Type } from '@sinclair/typebox';
import { Id, Text } from '../kinds.ts';
import { nameOf, plainText } from '../said.ts';
import { DEALER_SCOPE, event, OF_NO_GROUP } from './kind.ts';
import { inDealer, NOT_BELIEVED, notBelieved } from './payload.ts';

export const SysMsg = inDealer('SYS_MSG', {
  adminId: Id,
  user: Type.Optional(Type.Literal('admin')),
  ...notBelieved,
  message: Text,
});

/** [P-7.2] */
export const Announcement = Type.Object({
  type: Type.Literal('SYS_MSG'),
  dealerId: Id,
  adminId: Id,
  user: Type.Literal('admin'),
  muted: Type.Literal(true),
  unread: Type.Literal(0),
  message: Text,
});

export const announcement = event({
  payload: Announcement,
  channel: 'SYS_MESSAGE',
  scope: DEALER_SCOPE,
  stored: true,
  erased: OF_NO_GROUP,
  summary: 'An announcement to every chat of the dealer.',
  inWords: (said: Static<typeof Announcement>) => `${nameOf(said)} to everybody: ${plainText(said.message)}`,
  accepts: {
    SYS_MSG: {
      summary: 'Announces something to every chat of the dealer.',
      by: { admin: { sys_message: SysMsg }, server: { event: SysMsg } },
      drops: NOT_BELIEVED,
    },
  },
});
