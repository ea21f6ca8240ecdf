/** Everything of a dealer, line by line: what `GET …/export` and `telle export` write. */
import type { Dealer } from '../../schemas/dealers.ts';
import type { Mark, Paged, Part } from '../store/bounded.ts';
import type { DealerStore } from '../store/dealers.ts';
import type { ErasureStore } from '../store/erasures.ts';
import type { GroupStore } from '../store/groups.ts';
import type { KeptEvent, LogStore } from '../store/log.ts';
import type { RecordStore, RecordTable } from '../store/records.ts';
import { piecesOf } from './pieces.ts';

/** Stores that an export reads. */
export type Exported = Paged & DealerStore & GroupStore & RecordStore & LogStore & Pick<ErasureStore, 'erasures'>;

/** Some lines of NDJSON, and how many of them are events. */
export interface Lines {
  readonly text: string;
  readonly events: number;
}

/** Numbers of lines, by kind. */
export type Counts = Readonly<Record<string, number>>;

/** A line behind which an export goes on: its kind, and the parts of its key as text. */
export interface Place {
  readonly kind: string;
  readonly key: readonly string[];
}

/** Part of an export: the one behind a place, where lines before it were counted. */
interface Rest {
  readonly after?: Place | undefined;
  readonly counts?: Counts;
}

/** The lines of one kind. */
interface Section {
  readonly kind: string;
  /** The fields of its lines that are its key, in their order. */
  readonly key: readonly string[];
  /** Pieces of text, each with its number of lines, behind a line with such a key. */
  readonly pieces: (store: Exported, dealerId: string, after?: readonly string[]) => AsyncGenerator<[string, number]>;
}

interface Listed<Row> {
  readonly kind: string;
  readonly key: readonly string[];
  readonly read: (
    store: Exported,
    dealerId: string,
    after: readonly string[] | undefined,
    part: Part,
  ) => Promise<Row[]>;
  readonly keyOf: (row: Row) => readonly string[];
  readonly lineOf: (row: Row) => string;
}

function section<Row>({ kind, key, read, keyOf, lineOf }: Listed<Row>): Section {
  async function* pieces(
    store: Exported,
    dealerId: string,
    from?: readonly string[],
  ): AsyncGenerator<[string, number]> {
    for (let after = from; ; ) {
      const rows = await read(store, dealerId, after, store.pageAtOnce);
      const last = rows.at(-1);
      if (!last) return;
      let lines = 0;
      const texts = piecesOf(rows, (row) => {
        lines += 1;
        return lineOf(row);
      });
      for (const text of texts) {
        yield [text, lines];
        lines = 0;
      }
      after = keyOf(last);
    }
  }
  return { kind, key, pieces };
}

export const line = (kind: string, row: object): string => `${JSON.stringify({ kind, ...row })}\n`;

/** Line of an event: what it says is handed on as it is kept, JSON on one line. */
export const eventLine = ({ payload, ...event }: KeptEvent): string =>
  `${JSON.stringify({ kind: 'event', ...event }).slice(0, -1)},"payload":${payload}}\n`;

const markAt = ([at, ...key]: readonly string[]): Mark => ({ at: Number(at), key });

const ofRecords = (kind: string, table: RecordTable): Section =>
  section({
    kind,
    key: ['createdAt', 'groupId', ...(table === 'lead_intents' ? ['intent'] : [])],
    read: (store, dealerId, after, part) => store.records(table, dealerId, { ...part, after: after && markAt(after) }),
    keyOf: ({ createdAt, groupId, intent }) => [String(createdAt), groupId, ...(intent === null ? [] : [intent])],
    lineOf: (row) => line(kind, row),
  });

/** In the order in which they are written. */
const SECTIONS: readonly Section[] = [
  section({
    kind: 'group',
    key: ['groupId'],
    // By their names: by the time of their last change they would move while they are read.
    read: (store, dealerId, [name = ''] = [], part) => store.groupsByName(dealerId, name, part),
    keyOf: ({ groupId }) => [groupId],
    lineOf: (row) => line('group', row),
  }),
  ofRecords('user', 'users'),
  ofRecords('lead', 'leads'),
  ofRecords('intent', 'lead_intents'),
  section({
    kind: 'erasure',
    key: ['at', 'erasureId'],
    read: (store, dealerId, after, part) => store.erasures(dealerId, { ...part, after: after && markAt(after) }),
    keyOf: ({ at, erasureId }) => [String(at), erasureId],
    lineOf: (row) => line('erasure', row),
  }),
  section({
    kind: 'event',
    key: ['scope', 'seq'],
    read: (store, dealerId, [scope, seq] = [], part) =>
      store.log(dealerId, scope === undefined ? null : { scope, seq: Number(seq) }, part),
    keyOf: ({ scope, seq }) => [scope, String(seq)],
    lineOf: eventLine,
  }),
];

/** Parts of keys that are numbers; the others are text. */
const NUMBERS: ReadonlySet<string> = new Set(['createdAt', 'at', 'seq']);

/** Tells whether an export has lines of a kind, between its first and its last. */
export const isListed = (kind: string): boolean => SECTIONS.some((section) => section.kind === kind);

/** The place of a line in an export, by its kind and the fields of its key; null: an export goes on behind no such line. */
export function placeOf(line: Readonly<Record<string, unknown>>): Place | null {
  const section = SECTIONS.find(({ kind }) => kind === line.kind);
  const isPart = (name: string) =>
    NUMBERS.has(name)
      ? Number.isSafeInteger(line[name])
      : typeof line[name] === 'string' && !String(line[name]).includes('\0');
  if (!section?.key.every(isPart)) return null;
  return { kind: section.kind, key: section.key.map((name) => String(line[name])) };
}

/**
 * The dealer, its groups, users, leads, intents, receipts and the whole log, a line each; the last line says how many there are of
 * each, so that a file that was cut off shows. Not one moment's picture: what is written while it goes on may
 * or may not be in it. Times are ms since 1970, as the database has them. Behind a place, it goes on with the line after that one.
 * @returns null where there is no such dealer
 */
export async function exportOf(
  store: Exported,
  dealerId: string,
  rest: Rest = {},
): Promise<AsyncGenerator<Lines> | null> {
  const dealer = await store.dealer(dealerId);
  return dealer && linesOf(store, dealer, rest);
}

async function* linesOf(store: Exported, dealer: Dealer, { after, counts: counted = {} }: Rest): AsyncGenerator<Lines> {
  const counts: Record<string, number> = { ...counted };
  if (!after) yield { text: line('dealer', dealer), events: 0 };
  const from = SECTIONS.findIndex(({ kind }) => kind === after?.kind);
  for (const { kind, pieces } of SECTIONS.slice(Math.max(from, 0))) {
    for await (const [text, lines] of pieces(store, dealer.dealerId, kind === after?.kind ? after.key : undefined)) {
      counts[kind] = (counts[kind] ?? 0) + lines;
      yield { text, events: kind === 'event' ? lines : 0 };
    }
  }
  yield { text: line('end', { counts }), events: 0 };
}
