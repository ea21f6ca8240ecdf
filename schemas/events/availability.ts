/** [P-13.2] Availability: whether anybody can answer at the dealer. */
import { type Static, Type } from '@sinclair/typebox';
import { Id, Instant } from '../kinds.ts';
import { DEALER_SCOPE, event } from './kind.ts';

export const availability = {
  open: Type.Boolean({ description: 'whether the dealer is open by its hours' }),
  admins: Type.Boolean({ description: 'whether an admin is here' }),
  changesAt: Type.Optional(Instant),
};

/** [P-13.2] */
export const Available = Type.Object({ type: Type.Literal('AVAILABILITY'), dealerId: Id, ...availability });

export const availabilityChange = event({
  payload: Available,
  channel: 'DEALER_STATE',
  scope: DEALER_SCOPE,
  stored: false,
  summary: 'The dealer opens or closes, or an admin is here, or none is any more. Not stored, no seq.',
  inWords: ({ open, admins }: Static<typeof Available>) =>
    `-- the dealer is ${open ? 'open' : 'closed'}, and ${admins ? 'an agent is here' : 'no agent is here'}`,
  accepts: {},
});
