/** [P-13.1] When a dealer is there, in its own time. */
import { Kind, type Static, Type, TypeRegistry } from '@sinclair/typebox';
import { OneOf } from './kinds.ts';

const ZONE = '^[A-Za-z][A-Za-z0-9+_-]*(/[A-Za-z0-9+_-]+)*$';
const zone = new RegExp(ZONE);

/** Names that were asked for, and whether there is such a zone: to ask costs a millisecond. */
const zones = new Map<string, boolean>();
const MOST_ZONES = 1000;

function isTimeZone(name: unknown): boolean {
  if (typeof name !== 'string' || name.length > 64 || !zone.test(name)) return false;
  const known = zones.get(name);
  if (known !== undefined) return known;
  if (zones.size >= MOST_ZONES) zones.clear();
  const is = hasZone(name);
  zones.set(name, is);
  return is;
}

function hasZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

const DAY = '^\\d{4}-\\d\\d-\\d\\d$';
const day = new RegExp(DAY);

/** A day that there is: not the 30th of February. */
function isDay(value: unknown): boolean {
  if (typeof value !== 'string' || !day.test(value)) return false;
  const at = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(value);
}

TypeRegistry.Set('TimeZone', (_, value) => isTimeZone(value));
TypeRegistry.Set('Day', (_, value) => isDay(value));

export const TimeZone = Type.Unsafe<string>({
  [Kind]: 'TimeZone',
  type: 'string',
  pattern: ZONE,
  maxLength: 64,
  description: 'the name of a time zone such as Europe/Berlin',
});

const Day = Type.Unsafe<string>({
  [Kind]: 'Day',
  type: 'string',
  pattern: DAY,
  description: 'a day such as 2026-12-25',
});

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const clock = (pattern: string, description: string) => Type.String({ pattern, description });

/** Days that all open and close at the same time. Where they close no later than they open, they do so on the next day. */
const Opening = Type.Object(
  {
    days: Type.Array(OneOf(DAYS), { minItems: 1, maxItems: 7 }),
    open: clock('^([01]\\d|2[0-3]):[0-5]\\d$', 'a time of day such as 09:00'),
    close: clock('^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$', 'a time of day such as 18:00, at most 24:00'),
  },
  { additionalProperties: false },
);

export const Hours = Type.Array(Opening, { maxItems: 28 });
export type Hours = Static<typeof Hours>;

/** Days on which nobody is there: nothing opens on them. */
export const Holidays = Type.Array(Day, { maxItems: 400 });
