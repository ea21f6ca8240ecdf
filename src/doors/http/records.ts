/** [P-11.3] `/v1/dealers/{dealerId}/users`, `/leads`, `/lead-intents`: as JSON, and leads as CSV and ADF too. */
import { Readable } from 'node:stream';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import { Id } from '../../../schemas/kinds.ts';
import { DEFAULT_LIMIT } from '../../../schemas/lists.ts';
import { IntentList, LeadList, namesIn, RecordList, RecordsQuery } from '../../../schemas/reading.ts';
import { oneAtATime, pagesInTurn, readInTurn } from '../../commands/turns.ts';
import type { Action } from '../../journal/audit.ts';
import type { Mark, Paged, Part } from '../../store/bounded.ts';
import type { DealerStore } from '../../store/dealers.ts';
import type { KeptRecord, RecordOfUser, RecordStore, RecordsPart, RecordTable } from '../../store/records.ts';
import { adfOf } from './adf.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateReader } from './authenticate.ts';
import { contents } from './contents.ts';
import { type IntentRow, intentsCsv, leadsCsv } from './csv.ts';
import type { App } from './http.ts';
import { intentItem, leadItem, recordItem } from './items.ts';
import { formatFor } from './negotiate.ts';
import { markAt, type Page, pageByTime } from './page.ts';
import { prospectsOf } from './prospects.ts';

const params = Type.Object({ dealerId: Id });
type Query = Static<typeof RecordsQuery>;

/** A table of records that is read: how it is shown, and in which formats it is available. */
interface Listed {
  readonly table: RecordTable;
  readonly summary: string;
  readonly page: TSchema;
  readonly shown: (dealerId: string, record: KeptRecord, sameAs: string[] | undefined) => object;
  readonly formats: readonly Format[];
}

const JSON_TYPE = 'application/json';
const CSV_TYPE = 'text/csv';
const ADF_TYPE = 'application/x-adf+xml';
type Format = typeof JSON_TYPE | typeof CSV_TYPE | typeof ADF_TYPE;
const TAKEN_OUT: readonly Format[] = [JSON_TYPE, CSV_TYPE, ADF_TYPE];

/** Actions that are audited, by the format in which data leaves the system. */
const ACTIONS: Readonly<Partial<Record<Format, Action>>> = { [CSV_TYPE]: 'csv', [ADF_TYPE]: 'adf' };

const LISTS: Readonly<Record<string, Listed>> = {
  users: {
    table: 'users',
    summary: 'Users, the newest first',
    page: RecordList,
    shown: recordItem,
    formats: [JSON_TYPE],
  },
  leads: {
    table: 'leads',
    summary: 'Leads, the newest first',
    page: LeadList,
    shown: leadItem,
    formats: TAKEN_OUT,
  },
  'lead-intents': {
    table: 'lead_intents',
    summary: 'What leads want, the newest first',
    page: IntentList,
    shown: intentItem,
    formats: TAKEN_OUT,
  },
};

export function recordRoutes(app: App, core: Access & Auditing & { readonly store: Paged & RecordStore }): void {
  for (const [name, { summary, page, formats, ...list }] of Object.entries(LISTS)) {
    app.get(
      `/v1/dealers/:dealerId/${name}`,
      {
        onRequest: authenticateReader(core),
        config: { errors: ['not_acceptable'] },
        schema: {
          tags: ['reading'],
          summary,
          params,
          querystring: RecordsQuery,
          response: contents(
            'A page',
            Object.fromEntries(formats.map((format) => [format, format === JSON_TYPE ? page : Type.String()])),
          ),
        },
      },
      async (request, reply) => {
        const { dealerId } = request.params;
        const format = formatFor(request, reply, formats);
        const action = ACTIONS[format];
        if (action) await recordAct(core, request, { dealerId, action });
        return ANSWERS[format]({ ...list, name, dealerId, query: request.query, store: core.store, request, reply });
      },
    );
  }
}

/** A request for a list of records, and what it is answered from. */
interface RecordsRequest {
  readonly table: RecordTable;
  readonly shown: Listed['shown'];
  readonly name: string;
  readonly dealerId: string;
  readonly query: Query;
  readonly store: Paged & DealerStore & RecordStore;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

function pageFor<Row extends KeptRecord>(
  { table, query: { limit = DEFAULT_LIMIT, cursor } }: RecordsRequest,
  read: (part: Part) => Promise<Row[]>,
): Promise<Page<Row>> {
  return pageByTime(table, { limit, ...(cursor !== undefined && { cursor }) }, read, markOf, partsOf(table));
}

/** Parts of the key of a record within its dealer. */
const partsOf = (table: RecordTable): number => (table === 'lead_intents' ? 2 : 1);

/** A part of the list that is asked for: of some groups alone, where they are named. */
const partFor = ({ query: { groupId } }: RecordsRequest, part: Part): RecordsPart => ({
  ...part,
  ...(groupId !== undefined && { groupIds: namesIn(groupId) }),
});

const readerOf = (asked: RecordsRequest) => (part: Part) =>
  asked.store.records(asked.table, asked.dealerId, partFor(asked, part));

/** Reads leads or intents with their users: no format for which they are read is there for users. */
const readerOfUsers = (asked: RecordsRequest) => (part: Part) =>
  asked.store.recordsOfUsers(
    asked.table === 'lead_intents' ? 'lead_intents' : 'leads',
    asked.dealerId,
    partFor(asked, part),
  );

/** [P-11.3] Other groups of the same customers, by the groups of these leads. Everybody else has turns meanwhile. */
async function sameAsOf({ table, store, dealerId }: RecordsRequest, of: readonly KeptRecord[]) {
  const same = new Map<string, string[]>();
  const { limit } = store.pageAtOnce;
  for (let from = 0; table === 'leads' && from < of.length; from += limit) {
    await readInTurn();
    const groupIds = of.slice(from, from + limit).map(({ groupId }) => groupId);
    for (const [groupId, others] of await store.sameAs(dealerId, groupIds)) same.set(groupId, others);
  }
  return same;
}

const markOf = ({ createdAt, groupId, intent }: KeptRecord): Mark => ({
  at: createdAt,
  key: intent === null ? [groupId] : [groupId, intent],
});

/** [RFC 8288] Where formats without a `next` of their own go on. */
function linkNext({ reply, request }: RecordsRequest, { next }: Page<unknown>): void {
  if (next === null) return;
  const url = new URL(request.url, 'http://here');
  url.searchParams.set('cursor', next);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
}

const ANSWERS: Readonly<Record<Format, (asked: RecordsRequest) => Promise<unknown>>> = {
  async [JSON_TYPE](asked) {
    const { items, next } = await pageFor(asked, readerOf(asked));
    const same = await sameAsOf(asked, items);
    return { items: items.map((record) => asked.shown(asked.dealerId, record, same.get(record.groupId))), next };
  },

  /** All of them, as a stream; one page where a limit is given. */
  async [CSV_TYPE](asked) {
    const { table, query, reply, name, store } = asked;
    reply.type(`${CSV_TYPE}; charset=utf-8`).header('content-disposition', `attachment; filename="${name}.csv"`);
    const read = readerOfUsers(asked);
    const page = query.limit === undefined ? null : await pageFor(asked, read);
    if (page) linkNext(asked, page);
    const after = markAt(table, query.cursor, partsOf(table));
    const first = page?.items ?? (await read({ after, ...store.pageAtOnce }));
    const pages = csvPages(asked, first, page ? null : read);
    return reply.send(Readable.from(pagesInTurn(pages), { objectMode: false }));
  },

  /** One page: each prospect must be whole before the first byte goes out. */
  async [ADF_TYPE](asked) {
    const { dealerId, reply, name } = asked;
    const { document } = await oneAtATime(dealerId, () => adfFor(asked));
    return reply
      .type(`${ADF_TYPE}; charset=utf-8`)
      .header('content-disposition', `attachment; filename="${name}.xml"`)
      .send(document);
  },
};

/** A page as a document. Where the next one is, and how many are left out of this one, is told of a page of nobody, too. */
async function adfFor(asked: RecordsRequest): Promise<{ document: string }> {
  const { dealerId, table, store, reply } = asked;
  const page = await pageFor(asked, readerOfUsers(asked));
  const dealer = await store.dealer(dealerId);
  if (!dealer) throw refused('unknown_dealer', 'there is no such dealer');
  linkNext(asked, page);
  const { made, leftOut } = await adfOf(dealer, await prospectsOf(store, dealerId, table, page.items));
  reply.header('telle-left-out', leftOut);
  if (made === null) {
    const why = leftOut > 0 ? 'nobody here could be reached: no lead has an email or a phone' : 'there is no lead';
    throw refused('not_acceptable', `an ADF document has one prospect at least, and ${why}`);
  }
  return { document: made };
}

/** Rows of CSV that are written at a time: less than a millisecond's work. */
const ROWS = 20;

const rowOf = ({ intent, user, ...record }: RecordOfUser, same: ReadonlyMap<string, readonly string[]>): IntentRow => ({
  ...record,
  intent: intent ?? '',
  user: user?.fields ?? null,
  sameAs: same.get(record.groupId),
});

/** Records as CSV, some at a time, and all that are behind them where the rest is read. */
async function* csvPages(
  asked: RecordsRequest,
  first: readonly RecordOfUser[],
  readOn: ((part: Part) => Promise<readonly RecordOfUser[]>) | null,
): AsyncGenerator<string> {
  const csvOf = asked.table === 'lead_intents' ? intentsCsv : leadsCsv;
  let records = first;
  for (let header = true; header || records.length > 0; header = false) {
    const same = await sameAsOf(asked, records);
    for (let from = 0; from < Math.max(records.length, 1); from += ROWS) {
      const rows = records.slice(from, from + ROWS).map((record) => rowOf(record, same));
      yield csvOf(rows, { header: header && from === 0 });
    }
    const last = records.at(-1);
    if (!readOn || !last) return;
    await readInTurn();
    records = await readOn({ after: markOf(last), ...asked.store.pageAtOnce });
    await readInTurn();
  }
}
