/** Words for times and people. */
import { LOCALE, text } from './texts.ts';

const style = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(LOCALE, options);
const TIME = style({ hour: '2-digit', minute: '2-digit' });
const DAY = { weekday: 'long', day: 'numeric', month: 'long' } as const;
const DATE = { day: 'numeric', month: 'short' } as const;
const [THIS_YEARS, OTHERS] = [
  { day: style(DAY), date: style(DATE) },
  { day: style({ ...DAY, year: 'numeric' }), date: style({ ...DATE, year: 'numeric' }) },
];

/** A date of another year says which. */
const formatsOf = (date: Date) => (date.getFullYear() === new Date().getFullYear() ? THIS_YEARS : OTHERS);

export const timeOf = (at: string): string => TIME.format(new Date(at));

export function dayOf(at: string): string {
  const date = new Date(at);
  return formatsOf(date).day.format(date);
}

/** The time of what happened today, else the date. */
export function whenOf(at: string): string {
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString() ? TIME.format(date) : formatsOf(date).date.format(date);
}

const UNITS = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
] as const;

/** A time that something has lasted, in the largest unit that it fills. */
export function lastingOf(ms: number): string {
  const found = UNITS.find((each) => ms >= each.ms);
  const { unit, count } = found ? { unit: found.unit, count: Math.floor(ms / found.ms) } : { unit: 'minute', count: 1 };
  const time = new Intl.NumberFormat(LOCALE, { style: 'unit', unit, unitDisplay: 'short' }).format(count);
  return found ? time : `< ${time}`;
}

export interface Author {
  readonly user: 'customer' | 'admin' | 'bot' | 'server';
  readonly adminId?: string | undefined;
}

/**
 * Names somebody in plain text, where no mark can stand: the role comes first. @param name the customer's, as it is
 * shown
 */
export function inFull({ user, adminId }: Author, name: string, me: string): string {
  if (user === 'bot') return text('bot');
  if (user === 'server') return text('server');
  if (user === 'customer') return `${text('customer')} ${name}`;
  return adminId === me ? text('you') : `${text('agent')} ${adminId ?? ''}`;
}
