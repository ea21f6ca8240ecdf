/** [P-11.3] Lists over HTTP: what may be asked of one, and what it answers. */
import { type TSchema, Type } from '@sinclair/typebox';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

/** Paging: how many at most, and where the page before ended. */
export const Paging = {
  limit: Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
};

export const ListQuery = Type.Object(Paging);

const position = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));

/** A stretch of a scope's log: after one seq, before another, neither included. */
export const EventsQuery = Type.Object({ ...Paging, after: position, before: position });

/** A page of a list, and where the next one begins. */
export const listOf = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) });
