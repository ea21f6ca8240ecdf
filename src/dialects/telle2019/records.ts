/** [P-19.2] Records of what is known of customers: the fields of 2019 and Telle's, both ways. */
import { isJsonObject } from '../../protocol/checker.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Fields that have something in them. */
export const filled = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== ''),
  );

/** A name, unless it is the word that stood for a customer of whom none was known. */
export const nameOf = (name: unknown): unknown => (/^customer$/i.test(String(name)) ? undefined : name);

/** Names of a record's fields: those of 2019, and Telle's. Any other is the same in both. */
type Names = readonly (readonly [old: string, own: string])[];

export const VISIT: Names = [['page', 'url']];
export const LEAD: Names = [
  ['customer', 'name'],
  ['note', 'comments'],
];
export const INTENT: Names = [
  ['customer', 'name'],
  ['note', 'notes'],
];
export const PERSON: Names = [['customer', 'name']];

/** Fields by which a record of 2019 says once more whose it is. */
const OWNER = ['dealerId', 'sessionId'] as const;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The fields of a record as it came, an object or JSON as text; null where it is none. */
export function fieldsIn(message: unknown): Fields | null {
  const value = typeof message === 'string' ? parsed(message) : message;
  return isJsonObject(value) ? value : null;
}

function renamed(fields: Fields, names: ReadonlyMap<string, string>): [string, unknown][] {
  return Object.entries(fields).map(([name, value]) => [names.get(name) ?? name, value]);
}

/** A record of 2019 as Telle keeps it. */
export function known(fields: Fields, names: Names): Fields {
  const own = renamed(fields, new Map(names)).filter(([name]) => !OWNER.some((owner) => owner === name));
  return filled(Object.fromEntries(own.map(([name, value]) => [name, name === 'name' ? nameOf(value) : value])));
}

/** A record of Telle's as it was said in 2019. */
export function told(fields: Fields, names: Names, owner: { dealerId: unknown; sessionId: unknown }): Fields {
  const back = new Map(names.map(([old, own]) => [own, old] as const));
  return { ...Object.fromEntries(renamed(fields, back)), ...owner };
}
