/** [P-6.5] Users: who a customer is. */
import type { Static } from '@sinclair/typebox';
import { UserProfile } from '../records.ts';
import { updateInWords } from '../said.ts';
import { DESK_SCOPE, event } from './kind.ts';
import { adminIsNamed, authored, inGroup } from './payload.ts';

export const UpdateUser = inGroup('UPDATE_USER', { ...authored, message: UserProfile }, { allOf: [adminIsNamed] });

export const userUpdate = event({
  payload: UpdateUser,
  channel: 'CUSTOMER_STATE',
  scope: DESK_SCOPE,
  stored: true,
  erased: { message: {} },
  summary: 'Something is known of who the customer is: the update as it was sent.',
  inWords: updateInWords,
  accepts: {
    UPDATE_USER: {
      summary: "Merges into the group's user: who the customer is.",
      by: {
        customer: { customer_update: UpdateUser },
        admin: { admin_update: UpdateUser },
        server: { event: UpdateUser },
      },
      merges: true,
      rows: ({ groupId }: Static<typeof UpdateUser>) => ({ users: [groupId] }),
    },
  },
});
