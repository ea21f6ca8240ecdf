/** [P-11.3] Lists over HTTP: what may be asked of one, and what it answers. */
import { type TSchema, Type } from '@sinclair/typebox';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;
/** The most bytes of a page's rows, as the database has them; a page has at least one row. What a socket may have unsent by far. */
export const MAX_PAGE_BYTES = 256 * 1024;

/** Paging: how many at most, and where the page before ended. */
export const Paging = {
  limit: Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
};

/** Members of each page of a list; `next` is the cursor of the page behind it, null on the last. */
export const pageOf = <Item extends TSchema>(item: Item) => ({
  items: Type.Array(item),
  next: Type.Union([Type.String(), Type.Null()]),
});

/** One page of a list. */
export const listOf = <Item extends TSchema>(item: Item, description: string) =>
  Type.Object(pageOf(item), { description });

export const ListQuery = Type.Object(Paging);

const position = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));

/** A stretch of a scope's log: after one seq, before another, neither included. */
export const EventsQuery = Type.Object({ ...Paging, after: position, before: position });
