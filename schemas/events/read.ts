/** Read markers: how far a side has read. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, OneOf, Seq } from '../kinds.ts';
import { nameOf } from '../said.ts';
import { event } from './kind.ts';
import { adminId, adminIsNamed, inGroup } from './payload.ts';

export const Read = inGroup(
  'READ',
  { adminId, user: OneOf(['customer', 'admin']), seq: Seq },
  { allOf: [adminIsNamed] },
);

export const ReadState = Type.Object({
  type: Type.Literal('READ'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: OneOf(['customer', 'admin']),
  seq: Seq,
});

export const readState = event({
  payload: ReadState,
  channel: 'READ_STATE',
  scope: 'group',
  stored: false,
  summary: 'How far a side has read. Kept as state, no seq.',
  inWords: (state: Static<typeof ReadState>) => `-- ${nameOf(state)} has read up to ${state.seq}`,
  accepts: {
    READ: {
      summary: 'How far this side has read.',
      by: { customer: { read: Read }, admin: { read: Read } },
    },
  },
});
