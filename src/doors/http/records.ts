/** [P-11.3] `/v1/dealers/{dealerId}/users`, `/leads`, `/lead-intents`: as JSON, and leads as CSV and ADF too. */
import { Readable } from 'node:stream';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import { Id } from '../../../schemas/kinds.ts';
import { DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE_BYTES } from '../../../schemas/lists.ts';
import { IntentList, RecordList, RecordsQuery } from '../../../schemas/reading.ts';
import type { Fields } from '../../../schemas/records.ts';
import { oneAtATime, pagesInTurn, readInTurn } from '../../commands/turns.ts';
import type { Action } from '../../journal/audit.ts';
import type { Mark, Paged, Part } from '../../store/bounded.ts';
import type { DealerStore } from '../../store/dealers.ts';
import type { KeptRecord, RecordStore, RecordTable } from '../../store/records.ts';
import { adfOf, type Prospect } from './adf.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateReader } from './authenticate.ts';
import { contents } from './contents.ts';
import { intentsCsv, leadsCsv } from './csv.ts';
import type { App } from './http.ts';
import { intentItem, recordItem } from './items.ts';
import { formatFor } from './negotiate.ts';
import { type Page, pageByTime } from './page.ts';

const params = Type.Object({ dealerId: Id });
type Query = Static<typeof RecordsQuery>;

/** A table of records that is read: how it is shown, and in which formats it is available. */
interface Listed {
  readonly table: RecordTable;
  readonly summary: string;
  readonly page: TSchema;
  readonly shown: (dealerId: string, record: KeptRecord) => object;
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
    page: RecordList,
    shown: recordItem,
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

function pageFor(asked: RecordsRequest, { limit = DEFAULT_LIMIT, cursor }: Query) {
  const paging = { limit, ...(cursor !== undefined && { cursor }) };
  return pageByTime(asked.table, paging, (part) => read(asked, part), markOf, asked.table === 'lead_intents' ? 2 : 1);
}

const read = ({ table, dealerId, store, query: { groupId } }: RecordsRequest, part: Part): Promise<KeptRecord[]> =>
  store.records(table, dealerId, { ...part, ...(groupId !== undefined && { groupIds: [groupId] }) });

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
    const { items, next } = await pageFor(asked, asked.query);
    return { items: items.map((record) => asked.shown(asked.dealerId, record)), next };
  },

  /** All of them, as a stream; one page where a limit is given. */
  async [CSV_TYPE](asked) {
    const { query, reply, name } = asked;
    reply.type(`${CSV_TYPE}; charset=utf-8`).header('content-disposition', `attachment; filename="${name}.csv"`);
    const first = await pageFor(asked, { ...query, limit: query.limit ?? asked.store.rowsAtOnce });
    if (query.limit !== undefined) linkNext(asked, first);
    return reply.send(Readable.from(pagesInTurn(csvPages(asked, first)), { objectMode: false }));
  },

  /** One page: each prospect must be whole before the first byte goes out. */
  async [ADF_TYPE](asked) {
    const { dealerId, reply, name } = asked;
    const { document, page } = await oneAtATime(dealerId, () => adfFor(asked));
    linkNext(asked, page);
    return reply
      .type(`${ADF_TYPE}; charset=utf-8`)
      .header('content-disposition', `attachment; filename="${name}.xml"`)
      .send(document);
  },
};

async function adfFor(asked: RecordsRequest): Promise<{ document: string; page: Page<KeptRecord> }> {
  const { dealerId, query, store } = asked;
  const page = await pageFor(asked, query);
  const dealer = await store.dealer(dealerId);
  if (!dealer) throw refused('unknown_dealer', 'there is no such dealer');
  return { document: await adfOf(dealer, await prospectsOf(asked, page.items)), page };
}

/** Rows of CSV that are written at a time: less than a millisecond's work. */
const ROWS = 10;

async function* csvPages(asked: RecordsRequest, first: Page<KeptRecord>): AsyncGenerator<string> {
  const { query, table } = asked;
  const csvOf = table === 'lead_intents' ? intentsCsv : leadsCsv;
  let { items } = first;
  for (let header = true; header || items.length > 0; header = false) {
    const users = await usersOf(asked, items);
    const rows = items.map((record) => ({
      ...record,
      intent: record.intent ?? '',
      user: users.get(record.groupId)?.fields ?? null,
    }));
    for (let from = 0; from < Math.max(rows.length, 1); from += ROWS) {
      yield csvOf(rows.slice(from, from + ROWS), { header: header && from === 0 });
    }
    const last = items.at(-1);
    if (query.limit !== undefined || last === undefined) return;
    await readInTurn();
    items = await read(asked, { after: markOf(last), limit: asked.store.rowsAtOnce, bytes: MAX_PAGE_BYTES });
  }
}

/** The records of one table that some groups have. */
async function recordsFor({ dealerId, store }: RecordsRequest, table: RecordTable, of: readonly KeptRecord[]) {
  const groupIds = [...new Set(of.map(({ groupId }) => groupId))];
  if (groupIds.length === 0) return [];
  await readInTurn();
  return store.records(table, dealerId, { groupIds, limit: Number.MAX_SAFE_INTEGER });
}

const byGroup = (records: readonly KeptRecord[]): Map<string, KeptRecord> =>
  new Map(records.map((record) => [record.groupId, record]));

const usersOf = async (asked: RecordsRequest, of: readonly KeptRecord[]) =>
  byGroup(await recordsFor(asked, 'users', of));

/** Fields of a record as a CRM gets them: by which id it knows the customer is the dealer's word alone [P-11.3]. */
function fieldsForCrm(record: KeptRecord | undefined): Fields | null {
  if (!record) return null;
  const { externalId, ...others } = record.fields;
  return externalId === record.customer.externalId ? others : record.fields;
}

/** The intents of the groups that some leads are of, by group, the newest first. Everybody else has turns meanwhile. */
async function intentsByGroup(
  { dealerId, store }: RecordsRequest,
  of: readonly KeptRecord[],
): Promise<Map<string, KeptRecord[]>> {
  const groups = new Map<string, KeptRecord[]>(of.map(({ groupId }) => [groupId, []]));
  for (let after: KeptRecord | undefined; ; ) {
    await readInTurn();
    const found = await store.intentsOf(dealerId, [...groups.keys()], after, MAX_LIMIT);
    for (const record of found) groups.get(record.groupId)?.push(record);
    after = found.at(-1);
    if (!after || found.length < MAX_LIMIT) break;
  }
  for (const intents of groups.values()) intents.sort((one, other) => other.createdAt - one.createdAt);
  return groups;
}

/** A prospect for each lead with all its intents, or for each intent with its lead. */
async function prospectsOf(asked: RecordsRequest, records: readonly KeptRecord[]): Promise<Prospect[]> {
  const isIntents = asked.table === 'lead_intents';
  const users = await usersOf(asked, records);
  const leads = byGroup(isIntents ? await recordsFor(asked, 'leads', records) : records);
  const intentsOf = isIntents ? null : await intentsByGroup(asked, records);
  return records.map((record) => {
    const intents = intentsOf?.get(record.groupId) ?? [record];
    return {
      groupId: record.groupId,
      user: fieldsForCrm(users.get(record.groupId)),
      lead: fieldsForCrm(leads.get(record.groupId)),
      intents: intents.map(({ intent, fields }) => ({ intent: intent ?? '', fields })),
      requestedAt: record.createdAt,
    };
  });
}
