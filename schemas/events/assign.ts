/** [P-12.3] The assignee: whose a conversation is. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, IdOrNull, OneOf } from '../kinds.ts';
import { adminIn } from '../said.ts';
import { event } from './kind.ts';
import { adminId, inGroup } from './payload.ts';

export const Assign = inGroup('ASSIGN', { adminId, assignee: IdOrNull, expect: Type.Optional(IdOrNull) });

/** [P-12.3] The conversation is this admin's now, or nobody's. */
export const Assigned = Type.Object({
  type: Type.Literal('ASSIGNED'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  assignee: IdOrNull,
  reason: OneOf(['asked', 'answered', 'closed', 'gone']),
});

export const assigned = event({
  payload: Assigned,
  channel: 'CHAT_STATE',
  scope: 'group',
  stored: true,
  summary: 'The conversation is an admin’s now, or nobody’s.',
  inWords: ({ assignee }: Static<typeof Assigned>) =>
    assignee === null ? "-- the conversation is nobody's" : `-- the conversation is ${adminIn(assignee)}'s`,
  accepts: {
    ASSIGN: {
      summary: 'Gives the conversation to an admin, or to nobody.',
      by: { admin: { assign: Assign }, server: { event: Assign } },
      drops: ['expect'],
    },
  },
});
