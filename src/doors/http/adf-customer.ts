/** Customer of a prospect: the lead's own fields, else the user's. */
import type { Fields } from '../../../schemas/records.ts';
import { type Words, wordsOf } from './adf-text.ts';

export interface Customer {
  /** The name, in the parts that ADF says it in. */
  readonly names: readonly { readonly part: string; readonly text: string }[];
  /** Words of the elements, by field; `name` is the whole name as they say it. */
  readonly words: Words;
}

/** The fields that hold a name, and ADF's word for the part that each is. */
const PARTS = { firstName: 'first', lastName: 'last', name: 'full' } as const;
type Part = keyof typeof PARTS;
const ALL: readonly Part[] = ['firstName', 'lastName', 'name'];

/** The fields that name somebody whole: first and last name, else the full one. */
function wholeName(words: Words): readonly Part[] {
  if (words.has('firstName') && words.has('lastName')) return ['firstName', 'lastName'];
  return words.has('name') ? ['name'] : [];
}

export function customerOf(lead: Fields | null, user: Fields | null): Customer {
  const fields = [...ALL, 'email', 'phone', 'externalId'];
  const own = wordsOf(lead, fields);
  const known = new Map([...wordsOf(user, fields), ...own]);
  // A whole name of the lead's own goes before one to which the user's record gives a part.
  const candidates = [wholeName(own), wholeName(known), ALL.filter((field) => known.has(field))];
  const chosen = candidates.find((parts) => parts.length > 0) ?? [];
  const names = chosen.map((field) => ({ field, part: PARTS[field], text: known.get(field) ?? '' }));
  const words = new Map([...known].filter(([field]) => !ALL.some((part) => part === field)));
  for (const { field, text } of names) words.set(field, text);
  if (names.length > 0) words.set('name', names.map(({ text }) => text).join(' '));
  return { names, words };
}
