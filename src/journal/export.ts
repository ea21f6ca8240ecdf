/** Everything of a dealer, line by line: what `GET …/export` and `telle export` write. */
import { MAX_PAGE_BYTES } from '../../schemas/lists.ts';
import type { Bounds, Mark, Paged, Part } from '../store/bounded.ts';
import type { DealerStore } from '../store/dealers.ts';
import type { ErasureStore } from '../store/erasures.ts';
import type { GroupStore } from '../store/groups.ts';
import type { LogStore, Position } from '../store/log.ts';
import type { RecordStore } from '../store/records.ts';
import { piecesOf } from './pieces.ts';

/** Stores that an export reads. */
export type Exported = Paged & DealerStore & GroupStore & RecordStore & LogStore & Pick<ErasureStore, 'erasures'>;

/** Some lines of NDJSON, and how many of them are events. */
export interface Lines {
  readonly text: string;
  readonly events: number;
}

const line = (kind: string, row: object): string => `${JSON.stringify({ kind, ...row })}\n`;

/** All pages of a list, one after another. */
async function* pages<Row>(
  bounds: Bounds,
  read: (part: Part) => Promise<Row[]>,
  markOf: (row: Row) => Mark,
): AsyncGenerator<Row[]> {
  let after: Mark | undefined;
  for (;;) {
    const rows = await read({ after, ...bounds });
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    after = markOf(last);
  }
}

/**
 * The dealer, its groups, users, leads, intents, receipts and the whole log, a line each; the last line says how many there are of
 * each, so that a file that was cut off shows. Not one moment's picture: what is written while it goes on may
 * or may not be in it. Times are ms since 1970, as the database has them.
 * @returns null where there is no such dealer
 */
export async function exportOf(store: Exported, dealerId: string): Promise<AsyncGenerator<Lines> | null> {
  const dealer = await store.dealer(dealerId);
  return dealer && linesOf(store, dealerId, line('dealer', dealer));
}

async function* linesOf(store: Exported, dealerId: string, first: string): AsyncGenerator<Lines> {
  const counts: Record<string, number> = {};
  // Memory holds no more.
  const atOnce = { limit: store.rowsAtOnce, bytes: MAX_PAGE_BYTES };
  function* written<Row extends object>(
    kind: string,
    rows: readonly Row[],
    shown: (row: Row) => object = (row) => row,
  ): Generator<Lines> {
    let lines = 0;
    const texts = piecesOf(rows, (row) => {
      lines += 1;
      return line(kind, shown(row));
    });
    for (const text of texts) {
      counts[kind] = (counts[kind] ?? 0) + lines;
      yield { text, events: kind === 'event' ? lines : 0 };
      lines = 0;
    }
  }
  yield { text: first, events: 0 };
  // By their names: by the time of their last change they would move while they are read.
  for (let after = ''; ; ) {
    const rows = await store.groupsByName(dealerId, after, atOnce);
    const last = rows.at(-1);
    if (!last) break;
    yield* written('group', rows, ({ lastMessage: _, ...group }) => group);
    after = last.groupId;
  }
  for (const [kind, table] of RECORDS) {
    const records = pages(
      atOnce,
      (part) => store.records(table, dealerId, part),
      ({ createdAt, groupId, intent }) => ({ at: createdAt, key: intent === null ? [groupId] : [groupId, intent] }),
    );
    for await (const rows of records) yield* written(kind, rows);
  }
  const receipts = pages(
    atOnce,
    (part) => store.erasures(dealerId, part),
    ({ at, erasureId }) => ({ at, key: [erasureId] }),
  );
  for await (const rows of receipts) yield* written('erasure', rows);
  for (let after: Position | null = null; ; ) {
    const rows = await store.log(dealerId, after, atOnce);
    const last = rows.at(-1);
    if (!last) break;
    yield* written('event', rows, ({ payload, ...event }) => ({ ...event, payload: JSON.parse(payload) }));
    after = { scope: last.scope, seq: last.seq };
  }
  yield { text: line('end', { counts }), events: 0 };
}

const RECORDS = [
  ['user', 'users'],
  ['lead', 'leads'],
  ['intent', 'lead_intents'],
] as const;
