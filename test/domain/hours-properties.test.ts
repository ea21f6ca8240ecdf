/** [P-13.1] Opening hours, walked minute by minute with the clock of `Intl`, which knows nothing of how they are looked up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KeptTogether } from '../../schemas/dealers.ts';
import { DAYS } from '../../schemas/hours.ts';
import { opennessAt } from '../../src/domain/hours.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const DAY_MINUTES = 24 * 60;
const MINUTES = 8 * DAY_MINUTES;
/** What comes after is not walked through to its end. */
const END = 7 * DAY_MINUTES;

/** A zone, and days of it around which its clock is set: both ways, by half an hour, at midnight, over the year's end. */
const PLACES: readonly (readonly [zone: string, days: readonly string[]])[] = [
  ['UTC', ['2026-03-01', '2026-12-31']],
  ['Europe/Berlin', ['2026-03-29', '2026-10-25']],
  ['America/New_York', ['2026-03-08', '2026-11-01']],
  ['Australia/Lord_Howe', ['2026-04-05', '2026-10-04']],
  ['America/Santiago', ['2026-04-05', '2026-09-06']],
  ['Asia/Kathmandu', ['2026-02-28']],
];

/** Local times as `Intl` writes them, such as `2026-03-29 02:30`. */
const formats = new Map(
  PLACES.map(([timeZone]) => [
    timeZone,
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }),
  ]),
);

/** The next day, of a date. */
const after = (date: string): string => new Date(Date.parse(date) + DAY).toISOString().slice(0, 10);
const dayOf = (date: string) => DAYS[(new Date(date).getUTCDay() + 6) % 7];

/** Minutes since 1970 of what a clock shows. */
const asMinutes = (local: string): number => Date.parse(`${local.replace(' ', 'T')}Z`) / MINUTE;

/** Minutes of a zone around a day, and what its clock shows in each. */
interface Walk {
  readonly from: number;
  readonly shown: readonly number[];
}

function walkAround(zone: string, date: string): Walk {
  const from = Date.parse(date) - 4 * DAY;
  const format = formats.get(zone) ?? assert.fail(zone);
  return {
    from,
    shown: Array.from({ length: MINUTES }, (_, index) => asMinutes(format.format(from + index * MINUTE))),
  };
}

/** They are walked once each. */
const walks = new Map(
  PLACES.flatMap(([zone, days]) => days.map((date) => [`${zone} ${date}`, walkAround(zone, date)] as const)),
);

/** Index of the first minute in which the clock shows a time. Where it skips it, it is as much later as it is after what came before. */
function firstAt({ shown }: Walk, local: string): number | null {
  const wanted = asMinutes(local);
  const index = shown.findIndex((minute) => minute >= wanted);
  const [found, before] = [shown[index], shown[index - 1]];
  if (found === undefined || before === undefined) return null;
  return found === wanted ? index : index - 1 + wanted - before;
}

/** Says of each minute whether the dealer is open; those of the first two days and of the last are not to be trusted. */
function opennessOf(walk: Walk, { hours = [], holidays = [] }: KeptTogether): boolean[] {
  const open = walk.shown.map(() => false);
  const first = new Date(walk.from).toISOString().slice(0, 10);
  const dates = Array.from({ length: MINUTES / DAY_MINUTES }).reduce<string[]>(
    (all) => [...all, after(all.at(-1) ?? '')],
    [first],
  );
  for (const date of dates.filter((each) => !holidays.includes(each))) {
    for (const { days, open: opens, close } of hours) {
      if (!days.some((day) => day === dayOf(date))) continue;
      const last = close <= opens || close === '24:00' ? after(date) : date;
      const from = firstAt(walk, `${date} ${opens}`);
      const until = firstAt(walk, `${last} ${close === '24:00' ? '00:00' : close}`);
      if (from !== null && until !== null && until > from) open.fill(true, from, until);
    }
  }
  return open;
}

const clock = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 1, 15, 30, 59))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
/** Times at which clocks are set, more often than others. */
const time = fc.oneof(clock, fc.constantFrom('00:00', '01:30', '02:00', '02:15', '02:30', '03:00'));
const opening = fc.record({
  days: fc.subarray([...DAYS], { minLength: 1 }),
  open: time,
  close: fc.oneof(time, fc.constant('24:00')),
});

const anyPlace = fc
  .constantFrom(...PLACES)
  .chain(([zone, days]) => fc.tuple(fc.constant(zone), fc.constantFrom(...days)));

describe('whatever the hours', () => {
  it('a dealer is open, and turns, as whoever walks through the minutes with a clock sees it [P-13.2]', () => {
    fc.assert(
      fc.property(
        anyPlace,
        fc.array(opening, { maxLength: 4 }),
        fc.subarray([-1, 0, 1]),
        fc.array(fc.integer({ min: 2 * DAY_MINUTES, max: 6 * DAY_MINUTES }), { minLength: 5, maxLength: 5 }),
        ([timezone, date], hours, off, indexes) => {
          const holidays = off.map((days) => new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10));
          const settings: KeptTogether = { timezone, hours, holidays };
          const walk = walks.get(`${timezone} ${date}`) ?? assert.fail('not walked');
          const open = opennessOf(walk, settings);
          for (const index of indexes) {
            const at = walk.from + index * MINUTE + (index % 60) * 1000;
            const { isOpen, until } = opennessAt({ ...settings }, at);
            assert.equal(isOpen, open[index], `at ${new Date(at).toISOString()}`);
            const turn = open.findIndex((each, later) => later > index && later < END && each !== isOpen);
            if (turn !== -1) {
              assert.equal(until, walk.from + turn * MINUTE);
              assert.equal(opennessAt({ ...settings }, walk.from + turn * MINUTE).isOpen, !isOpen, 'from then on');
            } else assert.ok(until === null || until >= walk.from + END * MINUTE, 'it turns later');
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
