/** [P-13.1, P-13.2] When a dealer is open, in its own time zone. */
import { Temporal } from 'temporal-polyfill';
import type { KeptTogether } from '../../schemas/dealers.ts';
import { DAYS } from '../../schemas/hours.ts';

/** A stretch of time, in ms since 1970: its end is not in it. */
interface Stretch {
  readonly from: number;
  readonly until: number;
}

/** State of a dealer's hours: whether it is open, from when it is so, and until when; null: for as far as is looked. */
export interface Openness {
  readonly isOpen: boolean;
  readonly from: number;
  readonly until: number | null;
}

/** Days that are looked ahead for an opening, and for the end of one: who opens once a year is seen, and who never closes is not looked at for long. */
const AHEAD = 370;
const OPEN_AHEAD = 8;
/** For how long that is believed which was seen not to change, in ms. */
const BELIEVED = 24 * 60 * 60 * 1000;

/** A local time on a day; where a clock skips it, the time that it skips to. `24:00` is the next day's beginning. */
function instantAt(day: Temporal.PlainDate, time: string, timeZone: string): number {
  const [date, clock] = time === '24:00' ? [day.add({ days: 1 }), '00:00'] : [day, time];
  return date.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(clock) }).epochMilliseconds;
}

/** The openings that begin on a day, in order. A holiday has none. */
function openingsOn(day: Temporal.PlainDate, { hours = [], holidays = [] }: KeptTogether, timeZone: string): Stretch[] {
  if (holidays.includes(day.toString())) return [];
  const word = DAYS[day.dayOfWeek - 1];
  return hours
    .filter(({ days }) => word !== undefined && days.includes(word))
    .map(({ open, close }) => {
      const last = close > open ? day : day.add({ days: 1 });
      return { from: instantAt(day, open, timeZone), until: instantAt(last, close, timeZone) };
    })
    .toSorted((one, other) => one.from - other.from);
}

/** Looks how it stands at a time, day by day from the one before: an opening of that day may not have ended. */
function look(settings: KeptTogether, at: number): Openness {
  const { timezone: timeZone = 'UTC' } = settings;
  const today = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).toPlainDate();
  let end: number | null = null;
  for (let ahead = -1; ahead <= AHEAD; ahead += 1) {
    if (end !== null && ahead > OPEN_AHEAD) break;
    for (const { from, until } of openingsOn(today.add({ days: ahead }), settings, timeZone)) {
      if (until <= at) continue;
      if (end === null && from > at) return { isOpen: false, from: at, until: from };
      if (end !== null && from > end) return { isOpen: true, from: at, until: end };
      end = Math.max(end ?? 0, until);
    }
  }
  return { isOpen: end !== null, from: at, until: null };
}

/** Stretches that were seen last, by settings: most that is asked is asked of the same stretch. */
const seen = new WeakMap<KeptTogether, Openness>();

/** [P-13.2] Says whether a dealer with these settings is open, and until when. Without hours it always is. */
export function opennessAt(settings: KeptTogether, at: number): Openness {
  if (settings.hours === undefined) return { isOpen: true, from: at, until: null };
  const last = seen.get(settings);
  if (last && last.from <= at && at < (last.until ?? last.from + BELIEVED)) return last;
  const now = look(settings, at);
  seen.set(settings, now);
  return now;
}
