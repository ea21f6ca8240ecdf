/** Leads and intents as CSV: what a spreadsheet reads, and never runs. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Fields } from '../../schemas/records.ts';
import { type IntentRow, intentsCsv, type LeadRow, leadsCsv } from '../../src/doors/http/csv.ts';
import { readCsv } from '../support/csv.ts';
import { HOSTILE } from '../support/hostile.ts';
import { anyIntents, anyLead, anyUser } from './records.ts';

const AT = { createdAt: Date.UTC(2026, 10, 20, 13, 21, 27, 344), updatedAt: Date.UTC(2026, 10, 21) };
const TIMES = ['2026-11-20T13:21:27.344Z', '2026-11-21T00:00:00.000Z'];
const WITH_HEADER = { header: true };
/** What a spreadsheet may run. */
const FORMULA = /^[\s\p{C}]*[=+\-@＝＋－＠]/u;

const lead = (fields: Fields, user: Fields | null = null): LeadRow => ({ groupId: 'g1', user, fields, ...AT });
const intent = (word: string, fields: Fields = {}, user: Fields | null = null): IntentRow => ({
  ...lead({ intent: word, ...fields }, user),
  intent: word,
});

/** The rows by the names of their columns, without the cells that are empty. */
function tableOf(csv: string): Record<string, string>[] {
  const [names = [], ...rows] = readCsv(csv);
  return rows.map((row) => {
    assert.equal(row.length, names.length);
    return Object.fromEntries(row.flatMap((cell, index) => (cell === '' ? [] : [[names[index], cell]])));
  });
}

/** The one lead of a table, but for the columns that every one has. */
function readLead(fields: Fields, user: Fields | null = null) {
  const [{ groupId: _, createdAt: __, updatedAt: ___, ...cells } = {}] = tableOf(
    leadsCsv([lead(fields, user)], WITH_HEADER),
  );
  return cells;
}

describe('leads as CSV', () => {
  it('have a header, then a record for each, all of them ending in CRLF', () => {
    const fields = { name: 'Ann', status: 'hot', consent: true, vehicle: { year: 2024, make: 'VW' }, tags: ['a', 1] };
    assert.equal(
      leadsCsv([lead(fields)], WITH_HEADER),
      '\ufeffgroupId,createdAt,updatedAt,name,firstName,lastName,email,phone,externalId,locale,source,status,comments,consent,' +
        'vehicle condition,vehicle year,vehicle make,vehicle model,vehicle trim,vehicle vin,vehicle stock,more,sameAs\r\n' +
        `g1,${TIMES},Ann,,,,,,,,hot,,true,,2024,VW,,,,,"{""tags"":[""a"",1]}",\r\n`,
    );
  });

  it('are the same, page by page, as all at once', () => {
    const rows = ['Ann', 'Bob', 'Cy'].map((name) => lead({ name }));
    const pages = rows.map((row, index) => leadsCsv([row], { header: index === 0 }));
    assert.equal(pages.join(''), leadsCsv(rows, WITH_HEADER));
  });

  it('are a header alone, or nothing, where there are none', () => {
    assert.equal(readCsv(leadsCsv([], WITH_HEADER)).length, 1);
    assert.equal(leadsCsv([], { header: false }), '');
  });

  it('have their own person’s fields, else the user’s', () => {
    const user = { name: 'Ann', email: 'old@x', phone: '1', tags: ['a'] };
    assert.deepEqual(readLead({ email: 'new@x', phone: '' }, user), { name: 'Ann', email: 'new@x', phone: '1' });
  });

  it('have all else as JSON in the last column, and what is known of the vehicle beyond its columns', () => {
    const { more = '', ...cells } = readLead({
      name: 'Ann',
      budget: { to: 1 },
      preferredTime: 'Sat',
      vehicle: { make: 'VW', color: 'blue' },
    });
    assert.deepEqual(cells, { name: 'Ann', 'vehicle make': 'VW' });
    assert.deepEqual(JSON.parse(more), { budget: { to: 1 }, preferredTime: 'Sat', vehicle: { color: 'blue' } });
  });

  it('have a field named __proto__ like any other', () => {
    const { more } = readLead(JSON.parse('{"__proto__":{"a":1}}'));
    assert.equal(more, '{"__proto__":{"a":1}}');
  });
});

describe('intents as CSV', () => {
  it('have the intent and its own fields, and whom to call back', () => {
    const row = intent(
      'test_drive',
      { status: 'open', preferredTime: 'Sat 10', notes: 'a, "b"', vehicle: { vin: 'V1' }, seats: 5 },
      { name: 'Ann', phone: '0171 1' },
    );
    const csv = intentsCsv([row], WITH_HEADER);
    assert.match(
      csv,
      /^\ufeffgroupId,createdAt,updatedAt,name,.*,locale,intent,status,preferredTime,notes,vehicle .*,more\r\n/,
    );
    assert.deepEqual(tableOf(csv), [
      {
        groupId: 'g1',
        createdAt: TIMES[0],
        updatedAt: TIMES[1],
        name: 'Ann',
        phone: '0171 1',
        intent: 'test_drive',
        status: 'open',
        preferredTime: 'Sat 10',
        notes: 'a, "b"',
        'vehicle vin': 'V1',
        more: '{"seats":5}',
      },
    ]);
  });
});

describe('a phone number', () => {
  for (const phone of ['+1 (555) 010-0100', '+15550100100', '+49 30 123 45-0', '+1(555)010.0100', '0171/1']) {
    it(`is as it was written: ${phone}`, () => assert.deepEqual(readLead({ phone }), { phone }));
  }
  for (const sum of ['+1-555-0100', '+1/2', '+1 - (2)', '+1+cmd|x', '+1 (555) 0100*2', '+']) {
    it(`that a spreadsheet would calculate is text: ${sum}`, () =>
      assert.deepEqual(readLead({ phone: sum }), { phone: `'${sum}` }));
  }
});

describe('a formula', () => {
  for (const formula of HOSTILE.filter((text) => FORMULA.test(text))) {
    it(`is text: ${JSON.stringify(formula)}`, () => {
      assert.deepEqual(readLead({ comments: formula }), { comments: `'${formula}` });
    });
  }

  for (const text of ['a=1', '1-2', 'ann@x.example', "'=1", ' a', 'a\n=1', '"=1"']) {
    it(`is not in ${JSON.stringify(text)}, which stays as it is`, () => {
      assert.deepEqual(readLead({ comments: text }), { comments: text });
    });
  }

  it('is not a negative number in a field that may be one', () => {
    assert.deepEqual(readLead({ vehicle: { year: -1 } }), { 'vehicle year': "'-1" });
  });
});

describe('whatever customers write', () => {
  const cellOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  /** A record's fields by the names of their columns. */
  const flat = ({ vehicle, ...own }: Fields): [string, unknown][] => [
    ...Object.entries(own),
    ...Object.entries(vehicle ?? {}).map(([name, value]): [string, unknown] => [`vehicle ${name}`, value]),
  ];

  function assertHolds(csv: string, records: readonly LeadRow[]) {
    const [names = [], ...cells] = readCsv(csv);
    // A plain number with its sign is none: a phone number is left as it is.
    for (const cell of cells.flat()) if (!/^\+\d+$/.test(cell)) assert.doesNotMatch(cell, FORMULA);
    const rows = tableOf(csv);
    assert.equal(rows.length, records.length);
    for (const [index, { fields }] of records.entries()) {
      const { more = '{}', ...row } = rows[index] ?? {};
      const others = new Map(flat(JSON.parse(more)));
      for (const [name, value] of flat(fields)) {
        const [text, cell = ''] = [cellOf(value), names.includes(name) ? row[name] : cellOf(others.get(name))];
        assert.ok(text === '' || cell === text || cell === `'${text}`, `${name}: ${text} is ${cell}`);
      }
    }
  }

  it('is read again as it was, and begins no formula', () => {
    const anyRow = fc.record({ user: fc.option(anyUser), fields: anyLead, intents: anyIntents });
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 10 }), (given) => {
        const leads = given.map(({ user, fields }) => lead(fields, user));
        const intents = given.flatMap(({ user, intents }) =>
          intents.map((each) => intent(each.intent, each.fields, user)),
        );
        assertHolds(leadsCsv(leads, WITH_HEADER), leads);
        assertHolds(intentsCsv(intents, WITH_HEADER), intents);
      }),
      { numRuns: 50 },
    );
  });
});
