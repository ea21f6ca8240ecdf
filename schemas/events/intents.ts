/** [P-6.5] Intents: something that a customer wants, made and updated. */
import type { Static } from '@sinclair/typebox';
import { LeadIntent } from '../records.ts';
import { updateInWords } from '../said.ts';
import { DESK_SCOPE, ERASED, event } from './kind.ts';
import { adminIsNamed, authored, inGroup } from './payload.ts';

export const CreateLeadIntent = inGroup(
  'CREATE_LEAD_INTENT',
  { ...authored, message: LeadIntent },
  { allOf: [adminIsNamed] },
);
export const UpdateLeadIntent = inGroup(
  'UPDATE_LEAD_INTENT',
  { ...authored, message: LeadIntent },
  { allOf: [adminIsNamed] },
);

const onDesk = {
  channel: 'CUSTOMER_STATE',
  scope: DESK_SCOPE,
  stored: true,
  erased: { message: { intent: ERASED } },
  inWords: updateInWords,
} as const;

export const intentCreation = event({
  ...onDesk,
  payload: CreateLeadIntent,
  summary: 'The customer wants something.',
  accepts: {
    CREATE_LEAD_INTENT: {
      summary: 'The customer wants something: adds the intent, or merges into the one of that name.',
      by: {
        customer: { customer_update: CreateLeadIntent },
        admin: { admin_update: CreateLeadIntent },
        server: { event: CreateLeadIntent },
      },
      merges: true,
      rows: ({ groupId, message }: Static<typeof CreateLeadIntent>) => ({
        intentCounts: [groupId],
        intents: [groupId, message.intent],
      }),
    },
  },
});

export const intentUpdate = event({
  ...onDesk,
  payload: UpdateLeadIntent,
  summary: 'Something is known of an intent: the update as it was sent.',
  accepts: {
    UPDATE_LEAD_INTENT: {
      summary: 'Merges into the intent of that name.',
      by: {
        customer: { customer_update: UpdateLeadIntent },
        admin: { admin_update: UpdateLeadIntent },
        server: { event: UpdateLeadIntent },
      },
      merges: true,
      rows: ({ groupId, message }: Static<typeof UpdateLeadIntent>) => ({ intents: [groupId, message.intent] }),
    },
  },
});
