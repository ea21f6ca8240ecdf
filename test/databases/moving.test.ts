/** What was written elsewhere is compared with what was read, row by row, in sums that know no order. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MovedTable } from '../../drizzle/moved.ts';
import { compareAll, type Moved, type MovedRow, paged, Tally, type Target } from '../../src/store/moving.ts';

const TABLE: MovedTable = {
  name: 'notes',
  columns: [
    { property: 'noteId', name: 'note_id', kind: 'text', type: 'text' },
    { property: 'said', name: 'said', kind: 'json', type: 'jsonb' },
    { property: 'at', name: 'at', kind: 'number', type: 'bigint' },
    { property: 'isOpen', name: 'is_open', kind: 'boolean', type: 'boolean' },
  ],
  key: ['note_id'],
};

const note = (noteId: string, more: MovedRow = {}): MovedRow => ({
  noteId,
  said: { by: 'customer', words: ['one', 'two'] },
  at: 1,
  isOpen: true,
  ...more,
});

const ROWS = [note('a'), note('b'), note('c')];

function movedOf(rows: readonly MovedRow[]): Moved {
  const tally = new Tally(TABLE);
  tally.add(rows);
  return { name: TABLE.name, rows: tally.rows, checksum: tally.checksum };
}

/** A database that has these rows, a page each. */
const having = (rows: readonly MovedRow[]): Target => ({
  tables: [TABLE],
  async *rows() {
    for (const row of rows) yield [row];
  },
  count: async () => rows.length,
  assertUnserved: async () => {},
  close: async () => {},
  write: async () => {},
  keep: async () => {},
});

const compared = (rows: readonly MovedRow[], watch: (rows: number) => void = () => {}) =>
  compareAll([movedOf(ROWS)], having(rows), watch);

describe('the comparison of what was moved', () => {
  it('is of the same rows, in any order, and of JSON with its fields in any', async () => {
    let seen = 0;
    const reordered = { words: ['one', 'two'], by: 'customer' };
    await compared([note('c'), note('a', { said: reordered }), note('b')], (rows) => {
      seen += rows;
    });
    assert.equal(seen, 3);
  });

  for (const [what, rows] of Object.entries<readonly MovedRow[]>({
    'a row lacks': ROWS.slice(1),
    'a row is there twice': [...ROWS, note('a')],
    'a row is there twice, and another lacks': [note('a'), note('a'), note('c')],
    'a text differs': [note('a'), note('b'), note('C')],
    'a number differs': [note('a'), note('b', { at: 2 }), note('c')],
    'a boolean differs': [note('a'), note('b', { isOpen: false }), note('c')],
    'a value is null': [note('a'), note('b', { at: null }), note('c')],
    'a value within JSON differs': [note('a'), note('b', { said: { by: 'admin', words: ['one', 'two'] } }), note('c')],
    'a list within JSON is in another order': [
      note('a'),
      note('b', { said: { by: 'customer', words: ['two', 'one'] } }),
      note('c'),
    ],
    'nothing is there': [],
  }))
    it(`fails where ${what}`, () => assert.rejects(compared(rows), /^Error: notes is not the same there: /));

  it('says how many rows were written, and how many read', () =>
    assert.rejects(
      compared([...ROWS, note('d')]),
      /: 3 rows \(checksum [\da-f]{8}…\) were written, 4 \([\da-f]{8}…\) were read$/,
    ));

  it('fails where a table was not moved at all', () => assert.rejects(compareAll([], having(ROWS), () => {})));
});

describe('a page of rows', () => {
  const sizesOf = (sizes: readonly number[]) => [...paged(sizes, (size) => size)].map((page) => page.length);
  const MiB = 1024 ** 2;

  it('has at most a thousand', () => assert.deepEqual(sizesOf(new Array(2001).fill(1)), [1000, 1000, 1]));

  it('has at most 4 MiB, or one row', () =>
    assert.deepEqual(sizesOf([2 * MiB, 2 * MiB, 1, 9 * MiB, 9 * MiB, 1]), [2, 1, 1, 1, 1]));

  it('is none of no rows', () => assert.deepEqual(sizesOf([]), []));
});
