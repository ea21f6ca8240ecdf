/**
 * The small kinds that every payload is made of. Two of them need a check that plain JSON Schema keywords cannot give
 * TypeBox (it counts UTF-16 units, JSON Schema counts characters), so they are kinds of their own: what they publish
 * stays plain JSON Schema, what they check stands beside it here.
 */
import { Kind, type Static, type TSchema, Type, TypeRegistry } from '@sinclair/typebox';

/** [P-2.7] The characters of a dealerId, groupId or adminId. */
const ID = /^[A-Za-z0-9._:@-]{1,64}$/;
/** [P-2.3] The characters of an envelope's or event's `id`. */
const KEY = '^[A-Za-z0-9._:-]{1,64}$';
/** [P-2.5] The most characters (code points) that a chat text holds. */
const MAX_TEXT = 4000;

interface Bounded extends TSchema {
  readonly minLength: 0 | 1;
  readonly maxLength: number;
}

/** Counts the characters of a string as JSON Schema does: a surrogate pair is one. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function isText({ minLength, maxLength }: Bounded, value: unknown): boolean {
  if (typeof value !== 'string' || value.length < minLength || value.length > 2 * maxLength) return false;
  return value.length <= maxLength || characters(value) <= maxLength;
}

/** Tells whether a value can be an {@link Id}. */
export function isId(value: unknown): boolean {
  return typeof value === 'string' ? ID.test(value) : Number.isSafeInteger(value) && Number(value) >= 0;
}

/** [P-2.7] A groupId does not begin with `@`: those names are the scopes that no group has. */
function isGroupId(value: unknown): boolean {
  return isId(value) && !String(value).startsWith('@');
}

TypeRegistry.Set('Text', isText);
TypeRegistry.Set('DealerOrAll', (_, value) => value === '*' || isId(value));
TypeRegistry.Set('Id', (_, value) => isId(value));
TypeRegistry.Set('GroupId', (_, value) => isGroupId(value));
TypeRegistry.Set('IdOrNull', (_, value) => value === null || isId(value));

const integerId = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** Text of any characters, so many of them. */
export const text = (maxLength: number, minLength: 0 | 1 = 1) =>
  Type.Unsafe<string>({ [Kind]: 'Text', type: 'string', minLength, maxLength });

/** [P-2.5] Chat text: 1 to 4000 characters. */
export const Text = text(MAX_TEXT);

/** [P-2.7] A dealerId or adminId. A non-negative integer is taken and read as its decimal string: decoded, it is one. */
export const Id = Type.Unsafe<string>({ [Kind]: 'Id', anyOf: [{ type: 'string', pattern: ID.source }, integerId] });

/** [P-2.7] An {@link Id}, or null: nobody. */
export const IdOrNull = Type.Unsafe<string | null>({
  [Kind]: 'IdOrNull',
  anyOf: [{ type: 'string', pattern: ID.source }, integerId, { type: 'null' }],
});

/** [P-2.7] A groupId: an {@link Id} that does not begin with `@`. */
export const GroupId = Type.Unsafe<string>({
  [Kind]: 'GroupId',
  anyOf: [{ type: 'string', pattern: '^[A-Za-z0-9._:-][A-Za-z0-9._:@-]{0,63}$' }, integerId],
});

/** [P-3.3] A dealerId, or `*` for all dealers. */
export const DealerOrAll = Type.Unsafe<string>({
  [Kind]: 'DealerOrAll',
  anyOf: [{ const: '*' }, { type: 'string', pattern: ID.source }, integerId],
});

/** Kinds whose integers are read as decimal strings. */
const ID_KINDS: ReadonlySet<string> = new Set(['Id', 'IdOrNull', 'GroupId', 'DealerOrAll']);
export const isIdKind = (schema: TSchema): boolean => ID_KINDS.has(schema[Kind]);

/** [P-2.3] The `id` by which a client asks for an answer, and by which a repeat is known. */
export const Key = Type.String({ pattern: KEY });

const PLAIN = '^[^\\p{Cc}\\p{Cs}]+$';
const plain = new RegExp(PLAIN, 'u');

TypeRegistry.Set<TSchema & { maxLength: number }>('Plain', (schema, value) => {
  return (
    typeof value === 'string' &&
    value.length <= 2 * schema.maxLength &&
    plain.test(value) &&
    characters(value) <= schema.maxLength
  );
});

/** A word or name that a database keeps as it is: no control characters, and nothing that is half a character. */
export const Plain = (maxLength: number) =>
  Type.Unsafe<string>({ [Kind]: 'Plain', type: 'string', minLength: 1, maxLength, pattern: PLAIN });

/** A position in a scope's log: the first event has 1. */
export const Seq = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** RFC 3339, UTC, with milliseconds. */
export const Instant = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' });

let [lastTime, lastInstant] = [Number.NaN, ''];

/** The {@link Instant} of a time, in ms since 1970. The last one is kept: what is told of one moment is told again and again. */
export function instantOf(ms: number): string {
  if (ms !== lastTime) [lastTime, lastInstant] = [ms, new Date(ms).toISOString()];
  return lastInstant;
}

TypeRegistry.Set<TSchema & { enum: readonly unknown[] }>('OneOf', (schema, value) => schema.enum.includes(value));

/** One of a list of words. */
export const OneOf = <const Words extends readonly string[]>(words: Words, options = {}) =>
  Type.Unsafe<Words[number]>({ [Kind]: 'OneOf', type: 'string', enum: words, ...options });

export const User = OneOf(['customer', 'admin', 'bot']);
export type User = Static<typeof User>;

/** [P-7.2] Author of an event: `server` where another server did, in nobody's name. */
export const Author = OneOf(['customer', 'admin', 'bot', 'server']);
export type Author = Static<typeof Author>;

export const Role = OneOf(['customer', 'admin', 'server']);
export type Role = Static<typeof Role>;

/** JSON Schema for "where `field` is `value`, `needs` is required". `decode` reads it where TypeBox does not. */
export const requiredWhere = (field: string, value: string, needs: string) => ({
  if: { properties: { [field]: { const: value } }, required: [field] },
  // biome-ignore lint/suspicious/noThenProperty: `then` is JSON Schema's keyword, and no thenable is made of it
  then: { required: [needs] },
});
