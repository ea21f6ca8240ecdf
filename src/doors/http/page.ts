import { refused } from '../../../schemas/errors.ts';
import { MAX_PAGE_BYTES } from '../../../schemas/lists.ts';
import { readInTurn } from '../../commands/turns.ts';
import type { Bounds, Mark, Part } from '../../store/bounded.ts';

/** A place in a list, as an opaque word [P-11.3]. */
export const cursorFor = (place: string): string => Buffer.from(place).toString('base64url');

const cursorIn = (list: string, place: string): string => cursorFor(`${list}:${place}`);

export const placeOf = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();

/** @throws RefusedError `invalid_payload` for a word that no list gave out */
export const badCursor = () =>
  refused('invalid_payload', 'cursor: not one that this list gave', {
    details: [{ path: '/cursor', message: 'expected the `next` of a page before' }],
  });

interface Paging {
  readonly limit: number;
  readonly cursor?: string;
}

export interface Page<Item> {
  readonly items: Item[];
  readonly next: string | null;
}

/** The place that a cursor of a list names; undefined at its beginning. A cursor of another list is none. */
function placeIn(list: string, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const place = placeOf(cursor);
  if (!place.startsWith(`${list}:`)) throw badCursor();
  return place.slice(list.length + 1);
}

/**
 * [P-11.3] One page of a list that is ordered by a key: up to `limit` items, as many as fit into a page's bytes, and where to
 * read on.
 */
export async function pageOf<Item>(
  list: string,
  { limit, cursor }: Paging,
  read: (after: string | undefined, bounds: Bounds) => Promise<Item[]>,
  keyOf: (item: Item) => string,
): Promise<Page<Item>> {
  const items = await read(placeIn(list, cursor), { limit, bytes: MAX_PAGE_BYTES });
  const last = items.at(-1);
  if (!last) return { items, next: null };
  await readInTurn();
  const beyond = await read(keyOf(last), { limit: 1 });
  return { items, next: beyond.length > 0 ? cursorIn(list, keyOf(last)) : null };
}

/** The mark in a list that is ordered by time, and so many parts of a key, which a cursor names; undefined at its beginning. */
export function markAt(list: string, cursor: string | undefined, parts: number): Mark | undefined {
  const place = placeIn(list, cursor);
  return place === undefined ? undefined : markFrom(place, parts);
}

/** A list that is ordered by time, and where that is the same, by so many parts of a key. */
export const pageByTime = <Item>(
  list: string,
  paging: Paging,
  read: (part: Part) => Promise<Item[]>,
  markOf: (item: Item) => Mark,
  parts: number,
): Promise<Page<Item>> =>
  pageOf(
    list,
    paging,
    (place, bounds) => read({ after: place === undefined ? undefined : markFrom(place, parts), ...bounds }),
    (item) => placeAt(markOf(item)),
  );

const placeAt = ({ at, key }: Mark): string => JSON.stringify([at, ...key]);

/** The cursor of a list by which {@link markAt} finds a mark again. */
export const cursorAt = (list: string, mark: Mark): string => cursorIn(list, placeAt(mark));

function markFrom(place: string, parts: number): Mark {
  const [at, ...key] = arrayFrom(place);
  const isKey = (part: unknown): part is string => typeof part === 'string' && !part.includes('\0');
  if (!Number.isSafeInteger(at) || key.length !== parts || !key.every(isKey)) throw badCursor();
  return { at: Number(at), key };
}

function arrayFrom(place: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(place);
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // It was never one of ours.
  }
  throw badCursor();
}
