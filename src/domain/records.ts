import type { Static } from '@sinclair/typebox';
import type {
  CreateLeadIntent,
  UpdateLead,
  UpdateLeadIntent,
  UpdatePageview,
  UpdateUser,
} from '../../schemas/accepted.ts';
import type { Fields } from '../../schemas/records.ts';
import { fieldsOf, textOf } from './size.ts';
import { type Decision, refuse, type State } from './state.ts';

/** The most bytes that a merged user, lead or intent may reach: eight updates of the largest size [P-6.1]. */
export const MAX_MERGED_BYTES = 64 * 1024;
/** The most fields that it may come to have [P-6.1]: a form has dozens, and each takes time whenever any of them changes. */
export const MAX_FIELDS = 200;

type UserUpdate = Static<typeof UpdateUser>;
type LeadUpdate = Static<typeof UpdateLead>;
type IntentUpdate = Static<typeof CreateLeadIntent | typeof UpdateLeadIntent>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * [P-6.5] What a record is after an update: JSON Merge Patch (RFC 7396). A field given replaces, objects merge, null
 * removes.
 */
export function merge(record: Fields | null, update: Fields): Fields {
  // No prototype, so that a field named `__proto__` is a field like any other.
  const merged: Record<string, unknown> = Object.assign(Object.create(null), record);
  for (const [name, value] of Object.entries(update)) {
    const before = merged[name];
    if (value === null) delete merged[name];
    else merged[name] = isObject(value) ? merge(isObject(before) ? before : null, value) : value;
  }
  return merged;
}

function keep(state: State, name: 'user' | 'lead' | 'intent', body: UserUpdate | LeadUpdate | IntentUpdate): Decision {
  const before = state[name];
  const merged = merge(before, body.message);
  // What has more from before the bound may change, and shrink.
  if (fieldsOf(merged) > Math.max(MAX_FIELDS, fieldsOf(before ?? {}))) {
    return refuse('too_large', `with this update the ${name} would have more than ${MAX_FIELDS} fields`);
  }
  if (Buffer.byteLength(textOf(merged)) > MAX_MERGED_BYTES) {
    return refuse('too_large', `with this update the ${name} would hold more than ${MAX_MERGED_BYTES} bytes`);
  }
  return { events: [body], state: { ...state, [name]: merged } };
}

/** `UPDATE_USER` merges into the group's one user [P-6.5]. */
export const updateUser = (state: State, body: UserUpdate): Decision => keep(state, 'user', body);

/** `UPDATE_LEAD` merges into the group's one lead [P-6.5]. */
export const updateLead = (state: State, body: LeadUpdate): Decision => keep(state, 'lead', body);

/** `UPDATE_PAGEVIEW`: a page view is its event, and nothing is kept beside it. */
export const updatePageview = (state: State, body: Static<typeof UpdatePageview>): Decision => ({
  events: [body],
  state,
});

/** `CREATE_LEAD_INTENT` adds the intent, open unless it says otherwise; the same intent again is its update [P-6.5]. */
export const createIntent = (state: State, body: Static<typeof CreateLeadIntent>): Decision =>
  keep({ ...state, intent: state.intent ?? { status: 'open' } }, 'intent', body);

/** `UPDATE_LEAD_INTENT` merges into the group's intent of that name [P-6.5]. */
export const updateIntent = (state: State, body: Static<typeof UpdateLeadIntent>): Decision =>
  state.intent === null
    ? refuse('unknown_intent', 'this group has no such intent: create it first')
    : keep(state, 'intent', body);
