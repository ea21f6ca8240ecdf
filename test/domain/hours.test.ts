/** [P-13.1, P-13.2] Opening hours: days, nights, holidays, and clocks that are set. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KeptTogether } from '../../schemas/dealers.ts';
import { opennessAt } from '../../src/domain/hours.ts';

const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Settings are kept as what they are: each test has its own. */
const daily = (open: string, close: string, more: KeptTogether = {}): KeptTogether => ({
  hours: [{ days: [...WEEK], open, close }],
  ...more,
});

/** How it stands at a time, and when that changes. */
function seen(settings: KeptTogether, time: string): [isOpen: boolean, until: string | null] {
  const { isOpen, until } = opennessAt(settings, Date.parse(time));
  return [isOpen, until === null ? null : new Date(until).toISOString().replace(':00.000Z', 'Z')];
}

describe('[P-13.1] hours', () => {
  it('are always where none are said, and never where they are empty', () => {
    assert.deepEqual(seen({}, '2026-03-02T00:00Z'), [true, null]);
    assert.deepEqual(seen({ hours: [] }, '2026-03-02T12:00Z'), [false, null]);
  });

  it('are the dealer’s local time, their end not in them', () => {
    const berlin = daily('09:00', '18:00', { timezone: 'Europe/Berlin' });
    assert.deepEqual(seen(berlin, '2026-01-12T07:59Z'), [false, '2026-01-12T08:00Z']);
    assert.deepEqual(seen(berlin, '2026-01-12T08:00Z'), [true, '2026-01-12T17:00Z']);
    assert.deepEqual(seen(berlin, '2026-01-12T17:00Z'), [false, '2026-01-13T08:00Z']);
    assert.deepEqual(seen(daily('09:00', '18:00'), '2026-01-12T08:59Z'), [false, '2026-01-12T09:00Z'], 'UTC');
    assert.deepEqual(seen(daily('09:00', '18:00', { timezone: 'Asia/Kolkata' }), '2026-01-12T03:30Z')[0], true);
  });

  it('are of some days, and pass over those that are left out', () => {
    const office: KeptTogether = { hours: [{ days: ['mon', 'fri'], open: '09:00', close: '12:00' }] };
    assert.deepEqual(seen(office, '2026-01-09T12:00Z'), [false, '2026-01-12T09:00Z']);
    assert.deepEqual(seen(office, '2026-01-12T11:59Z'), [true, '2026-01-12T12:00Z']);
  });

  it('may pass midnight, and end with the day', () => {
    const bar: KeptTogether = { hours: [{ days: ['fri'], open: '18:00', close: '02:00' }] };
    assert.deepEqual(seen(bar, '2026-01-10T01:59Z'), [true, '2026-01-10T02:00Z']);
    assert.deepEqual(seen(bar, '2026-01-10T02:00Z'), [false, '2026-01-16T18:00Z']);
    assert.deepEqual(seen(daily('09:00', '24:00'), '2026-01-10T23:59Z'), [true, '2026-01-11T00:00Z']);
  });

  it('that follow each other are one, and those that never end do not turn', () => {
    const shifts: KeptTogether = {
      hours: [
        { days: ['mon'], open: '12:00', close: '18:00' },
        { days: ['mon'], open: '09:00', close: '12:00' },
      ],
    };
    assert.deepEqual(seen(shifts, '2026-01-12T10:00Z'), [true, '2026-01-12T18:00Z']);
    assert.deepEqual(seen(daily('00:00', '24:00'), '2026-01-12T10:00Z'), [true, null]);
  });

  it('are none on a holiday, but one of the night before goes on', () => {
    const bar = daily('18:00', '02:00', { holidays: ['2026-12-25'] });
    assert.deepEqual(seen(bar, '2026-12-25T01:00Z'), [true, '2026-12-25T02:00Z']);
    assert.deepEqual(seen(bar, '2026-12-25T19:00Z'), [false, '2026-12-26T18:00Z']);
  });

  it('are right where clocks are put forward: an hour that is not there is skipped', () => {
    const berlin = daily('02:30', '10:00', { timezone: 'Europe/Berlin' });
    // On 29 March 2026 02:00 is 03:00; 02:30 is then 03:30 of summer.
    assert.deepEqual(seen(berlin, '2026-03-29T01:29Z'), [false, '2026-03-29T01:30Z']);
    assert.deepEqual(seen(berlin, '2026-03-29T01:30Z'), [true, '2026-03-29T08:00Z']);
    const day = daily('09:00', '18:00', { timezone: 'America/New_York' });
    assert.deepEqual(seen(day, '2026-03-07T23:00Z'), [false, '2026-03-08T13:00Z']);
    assert.deepEqual(seen(day, '2026-03-07T14:00Z'), [true, '2026-03-07T23:00Z']);
  });

  it('are right where clocks are put back: an hour that is there twice opens at the first, and ends at the first', () => {
    const berlin = daily('02:30', '10:00', { timezone: 'Europe/Berlin' });
    assert.deepEqual(seen(berlin, '2026-10-25T00:29Z'), [false, '2026-10-25T00:30Z']);
    assert.deepEqual(seen(berlin, '2026-10-25T00:30Z'), [true, '2026-10-25T09:00Z']);
  });

  it('say of any time the same as of the moment before they turn', () => {
    const settings = daily('22:15', '03:45', { timezone: 'Europe/London', holidays: ['2026-10-25'] });
    const from = Date.parse('2026-01-01T00:00Z');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 365 * 24 * 60 }), (minute) => {
        const at = from + minute * 60_000;
        const { isOpen, until } = opennessAt({ ...settings }, at);
        assert.ok(until !== null && until > at);
        assert.equal(opennessAt({ ...settings }, until - 1).isOpen, isOpen);
        assert.equal(opennessAt({ ...settings }, until).isOpen, !isOpen);
      }),
      { numRuns: 200 },
    );
  });
});
