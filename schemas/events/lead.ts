/** [P-6.5] Leads: everything that is known of one. */
import type { Static } from '@sinclair/typebox';
import { Lead } from '../records.ts';
import { updateInWords } from '../said.ts';
import { DESK_SCOPE, event } from './kind.ts';
import { adminIsNamed, authored, inGroup } from './payload.ts';

export const UpdateLead = inGroup('UPDATE_LEAD', { ...authored, message: Lead }, { allOf: [adminIsNamed] });

export const leadUpdate = event({
  payload: UpdateLead,
  channel: 'CUSTOMER_STATE',
  scope: DESK_SCOPE,
  stored: true,
  erased: { message: {} },
  summary: 'Something is known of the lead: the update as it was sent.',
  inWords: updateInWords,
  accepts: {
    UPDATE_LEAD: {
      summary: "Merges into the group's lead.",
      by: {
        customer: { customer_update: UpdateLead },
        admin: { admin_update: UpdateLead },
        server: { event: UpdateLead },
      },
      merges: true,
      rows: ({ groupId }: Static<typeof UpdateLead>) => ({ leads: [groupId] }),
    },
  },
});
