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
import { type Decision, type Known, type Policy, refuse, type Side, type State } from './state.ts';

/** The most bytes that a merged user, lead or intent may reach: eight updates of the largest size [P-6.1]. */
export const MAX_MERGED_BYTES = 64 * 1024;
/** The most fields that it may come to have [P-6.1]: a form has dozens, and each takes time whenever any of them changes. */
export const MAX_FIELDS = 200;

/** The most intents of a group: every well-known one, and many times as many words of a dealer's own [P-6.5]. */
export const MAX_INTENTS = 50;

type UserUpdate = Static<typeof UpdateUser>;
type LeadUpdate = Static<typeof UpdateLead>;
type IntentUpdate = Static<typeof CreateLeadIntent | typeof UpdateLeadIntent>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * [P-6.5] The record after an update: JSON Merge Patch (RFC 7396). A field given replaces, objects merge, null
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

/** Tells whether two values of JSON are equal, in whatever order their fields are. */
export function same(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((each, index) => same(each, other[index]));
  if (!isObject(one) || !isObject(other)) return one === other;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && same(one[name], other[name]))
  );
}

/** Picks the fields of a record that differ from another's. */
function beyond(record: Fields, other: Fields): Fields {
  const rest: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(record)) {
    const there = other[name];
    if (!Object.hasOwn(other, name)) rest[name] = value;
    else if (isObject(value) && isObject(there)) {
      const inner = beyond(value, there);
      if (Object.keys(inner).length > 0) rest[name] = inner;
    } else if (!same(value, there)) rest[name] = value;
  }
  return rest;
}

/** A record without the fields that an update names, whether it gives or removes them. */
function without(record: Fields, update: Fields): Fields {
  const rest: Record<string, unknown> = Object.assign(Object.create(null), record);
  for (const [name, value] of Object.entries(update)) {
    const before = rest[name];
    if (isObject(value) && isObject(before)) rest[name] = without(before, value);
    else delete rest[name];
  }
  return rest;
}

/** [P-6.5] Merges an update, by the side that sent it. */
const SAYS: { readonly [S in Side]: (known: Known, update: Fields) => Known } = {
  /** The dealer's word takes the place of what the customer said of it. */
  dealer: ({ fields, customer }, update) => ({ fields: merge(fields, update), customer: without(customer, update) }),
  /** The customer's goes to what the customer said, and shows where the dealer says nothing. */
  customer: ({ fields, customer }, update) => {
    const dealer = beyond(fields, customer);
    const own = beyond(merge(customer, update), dealer);
    return { fields: merge(own, dealer), customer: own };
  },
};

const bytesOf = (fields: Fields): number => Buffer.byteLength(textOf(fields));

/** Lists the fields of both sides: those merged, and those in which the customer differs. */
const saidIn = ({ fields, customer }: Known): readonly Fields[] => {
  const otherwise = beyond(customer, fields);
  return Object.keys(otherwise).length > 0 ? [fields, otherwise] : [fields];
};

const sum = (parts: readonly Fields[], of: (part: Fields) => number): number =>
  parts.reduce((total, part) => total + of(part), 0);

/** [P-6.1] By what a record is beyond its bounds; null where it is within them. What had more from before may shrink. */
function excess(after: Known, before: Known): string | null {
  const parts = saidIn(after);
  const most = Math.max(MAX_FIELDS, sum(saidIn(before), fieldsOf));
  if (sum(parts, fieldsOf) > most) return `have more than ${MAX_FIELDS} fields`;
  return sum(parts, bytesOf) > MAX_MERGED_BYTES ? `hold more than ${MAX_MERGED_BYTES} bytes` : null;
}

/** Merges an update into a record; where that is too much, the dealer's has the place of what the customer said. */
function known(before: Known, update: Fields, side: Side): { after: Known; tooMuch: string | null } {
  const after = SAYS[side](before, update);
  const tooMuch = excess(after, before);
  if (tooMuch === null || side === 'customer') return { after, tooMuch };
  const alone = SAYS.dealer({ fields: beyond(before.fields, before.customer), customer: {} }, update);
  return { after: alone, tooMuch: excess(alone, before) };
}

const NOTHING: Known = { fields: {}, customer: {} };

function keep(
  state: State,
  name: 'user' | 'lead' | 'intent',
  body: UserUpdate | LeadUpdate | IntentUpdate,
  side: Side,
): Decision {
  const { after, tooMuch } = known(state[name] ?? NOTHING, body.message, side);
  if (tooMuch !== null) return refuse('too_large', `with this update the ${name} would ${tooMuch}`);
  return { events: [body], state: { ...state, [name]: after } };
}

/** `UPDATE_USER` merges into the group's one user [P-6.5]. */
export const updateUser = (state: State, body: UserUpdate, _: Policy, side: Side): Decision =>
  keep(state, 'user', body, side);

/** `UPDATE_LEAD` merges into the group's one lead [P-6.5]. */
export const updateLead = (state: State, body: LeadUpdate, _: Policy, side: Side): Decision =>
  keep(state, 'lead', body, side);

/** `UPDATE_PAGEVIEW`: a page view is its event, and nothing is kept beside it. */
export const updatePageview = (state: State, body: Static<typeof UpdatePageview>): Decision => ({
  events: [body],
  state,
});

/**
 * `CREATE_LEAD_INTENT` adds the intent, open unless it says otherwise; the same intent again is its update [P-6.5]. That it
 * is open is the word of whoever creates it.
 */
export function createIntent(state: State, body: Static<typeof CreateLeadIntent>, _: Policy, side: Side): Decision {
  if (state.intent !== null) return keep(state, 'intent', body, side);
  if (state.intents >= MAX_INTENTS) {
    return refuse('too_large', `this group has ${MAX_INTENTS} intents, and no more are kept of one`);
  }
  const intent = SAYS[side](NOTHING, { status: 'open' });
  return keep({ ...state, intent, intents: state.intents + 1 }, 'intent', body, side);
}

/** `UPDATE_LEAD_INTENT` merges into the group's intent of that name [P-6.5]. */
export const updateIntent = (state: State, body: Static<typeof UpdateLeadIntent>, _: Policy, side: Side): Decision =>
  state.intent === null
    ? refuse('unknown_intent', 'this group has no such intent: create it first')
    : keep(state, 'intent', body, side);
