/** [P-11.3] Pages of a list, and the words by which the next one is asked for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_PAGE_BYTES } from '../../schemas/lists.ts';
import { cursorFor, pageByTime, pageOf } from '../../src/doors/http/page.ts';
import type { Part } from '../../src/store/bounded.ts';
import { refusalOf } from '../support/refusal.ts';

/** A list of names, and the bounds of each time that it was read. */
function names(...all: readonly string[]) {
  const bounds: object[] = [];
  const page = (limit: number, cursor?: string) =>
    pageOf(
      'names',
      { limit, ...(cursor !== undefined && { cursor }) },
      async (after = '', { limit, ...more }) => {
        bounds.push({ limit, ...more });
        return all.filter((name) => name > after).slice(0, limit);
      },
      (name) => name,
    );
  return { page, bounds };
}

/** How a cursor is refused. */
const refused = async (page: Promise<unknown>) => {
  const fault: unknown = await page.then(
    () => assert.fail('taken'),
    (error: unknown) => error,
  );
  const { code, details } = refusalOf(() => {
    throw fault;
  });
  assert.deepEqual([code, details?.[0]?.path], ['invalid_payload', '/cursor']);
};

describe('a page', () => {
  it('leads on to the next as long as there is more, and to nothing at the end', async () => {
    const { page, bounds } = names('a', 'b', 'c', 'd');
    const first = await page(2);
    assert.deepEqual(first.items, ['a', 'b']);
    const second = await page(2, first.next ?? '');
    assert.deepEqual(second, { items: ['c', 'd'], next: null });
    assert.deepEqual(bounds[0], { limit: 2, bytes: MAX_PAGE_BYTES });
  });

  it('of nothing leads nowhere', async () => assert.deepEqual(await names().page(2), { items: [], next: null }));

  it('is not found by a word of another list, nor by one that is none', async () => {
    const { page } = names('a');
    for (const cursor of [cursorFor('other:a'), cursorFor('a'), '', '%']) await refused(page(2, cursor));
  });
});

describe('a page by time', () => {
  const ROWS = [
    { at: 5, key: ['x', 'y'] },
    { at: 5, key: ['x', 'z'] },
    { at: 7, key: ['a', 'b'] },
  ];
  const page = (cursor?: string) =>
    pageByTime(
      'rows',
      { limit: 2, ...(cursor !== undefined && { cursor }) },
      async ({ after, limit }: Part) => {
        const from = ROWS.findIndex((row) => JSON.stringify(row) === JSON.stringify(after)) + 1;
        return ROWS.slice(from, from + limit);
      },
      (row) => row,
      2,
    );

  it('leads on from the time and the key of its last', async () => {
    const { items, next } = await page();
    assert.deepEqual(items, ROWS.slice(0, 2));
    assert.deepEqual(await page(next ?? ''), { items: ROWS.slice(2), next: null });
  });

  for (const [what, place] of [
    ['is no JSON', '5,'],
    ['is no array', '{"at":5}'],
    ['has no time', '["5","x","y"]'],
    ['has a fraction of a time', '[5.5,"x","y"]'],
    ['has too few parts', '[5,"x"]'],
    ['has too many parts', '[5,"x","y","z"]'],
    ['has a part that is no text', '[5,"x",7]'],
    ['has a part that no database keeps', '[5,"x","y\\u0000"]'],
  ] as const) {
    it(`is not found by a place that ${what}`, () => refused(page(cursorFor(`rows:${place}`))));
  }
});
