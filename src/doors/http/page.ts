import { cursorFor, placeOf } from './cursor.ts';

/** [P-11.3] One page of a list that is ordered by a key: up to `limit` items, and where to read on. */
export async function pageOf<Item>(
  { limit, cursor }: { limit: number; cursor?: string },
  read: (after: string, limit: number) => Promise<Item[]>,
  keyOf: (item: Item) => string,
): Promise<{ items: Item[]; next: string | null }> {
  // One more than asked for tells whether there is a next page.
  const found = await read(cursor === undefined ? '' : placeOf(cursor), limit + 1);
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last ? cursorFor(keyOf(last)) : null };
}
