/** A page that a customer looks at. */
import { Pageview } from '../records.ts';
import { updateInWords } from '../said.ts';
import { DESK_SCOPE, event } from './kind.ts';
import { adminIsNamed, authored, inGroup } from './payload.ts';

export const UpdatePageview = inGroup('UPDATE_PAGEVIEW', { ...authored, message: Pageview }, { allOf: [adminIsNamed] });

export const pageview = event({
  payload: UpdatePageview,
  channel: 'CUSTOMER_STATE',
  scope: DESK_SCOPE,
  stored: true,
  erased: { message: {} },
  summary: 'The customer looks at a page.',
  inWords: updateInWords,
  accepts: {
    UPDATE_PAGEVIEW: {
      summary: 'The customer looks at a page.',
      by: { customer: { customer_update: UpdatePageview }, server: { event: UpdatePageview } },
    },
  },
});
