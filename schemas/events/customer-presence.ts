/** [P-7.2] A customer comes online, or leaves. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id } from '../kinds.ts';
import { DESK_SCOPE, event } from './kind.ts';
import { inGroup } from './payload.ts';

const online = Type.Boolean();

export const UpdateGroup = inGroup('UPDATE_GROUP', { user: Type.Optional(Type.Literal('customer')), online });

/** [P-7.2] */
export const CustomerPresence = Type.Object({
  type: Type.Literal('UPDATE_GROUP'),
  dealerId: Id,
  groupId: GroupId,
  user: Type.Literal('customer'),
  online,
});

export const customerPresence = event({
  payload: CustomerPresence,
  channel: 'CHAT_STATE',
  scope: DESK_SCOPE,
  stored: true,
  erased: { user: 'customer', online: false },
  summary: 'The customer came online, or left.',
  inWords: (presence: Static<typeof CustomerPresence>) => `-- the customer ${presence.online ? 'is here' : 'left'}`,
  accepts: {
    UPDATE_GROUP: {
      summary: 'The customer is online, or is no longer.',
      by: { server: { event: UpdateGroup } },
    },
  },
});
