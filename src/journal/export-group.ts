/** Everything of one customer, line by line, in the form of a dealer's export: what a data subject asks for. */
import type { Mark } from '../store/bounded.ts';
import type { KeptGroup } from '../store/groups.ts';
import type { KeptEvent } from '../store/log.ts';
import type { KeptRecord, RecordTable } from '../store/records.ts';
import { type Exported, eventLine, type Lines, line } from './export.ts';

/** Records of a customer, by the kind of their lines. */
const RECORDS: readonly (readonly [kind: string, table: RecordTable])[] = [
  ['user', 'users'],
  ['lead', 'leads'],
  ['intent', 'lead_intents'],
];

/**
 * A conversation, its customer's records, its whole log and what the desk was told of it, each event at its seq. Of its dealer it says the
 * name alone. The last line counts the others.
 * @returns null where there is no such conversation
 */
export async function exportOfGroup(
  store: Exported,
  dealerId: string,
  groupId: string,
): Promise<AsyncGenerator<Lines> | null> {
  const group = await store.group(dealerId, groupId);
  return group && linesOf(store, dealerId, group);
}

async function* linesOf(
  store: Exported,
  dealerId: string,
  { lastMessage: _, ...group }: KeptGroup,
): AsyncGenerator<Lines> {
  const { groupId } = group;
  const counts: Record<string, number> = {};
  const told = (kind: string, texts: readonly string[]): Lines => {
    counts[kind] = (counts[kind] ?? 0) + texts.length;
    return { text: texts.join(''), events: kind === 'event' ? texts.length : 0 };
  };
  yield { text: line('dealer', { dealerId }), events: 0 };
  yield told('group', [line('group', group)]);
  for (const [kind, table] of RECORDS) {
    for await (const rows of recordsOf(store, table, dealerId, groupId)) {
      yield told(
        kind,
        rows.map((row) => line(kind, row)),
      );
    }
  }
  for (const read of [ownEvents, store.deskEvents]) {
    for await (const events of eventsOf(store, (part) => read(dealerId, groupId, part))) {
      yield told('event', events.map(eventLine));
    }
  }
  yield { text: line('end', { counts }), events: 0 };

  async function ownEvents(...[dealer, scope, part]: Parameters<Exported['deskEvents']>): Promise<KeptEvent[]> {
    const events = await store.events(dealer, scope, part);
    return events.map(({ seq, id, type, at, payload, groupId: of }) => ({
      scope,
      seq,
      id,
      type,
      groupId: of,
      at,
      payload,
    }));
  }
}

async function* recordsOf(
  store: Exported,
  table: RecordTable,
  dealerId: string,
  groupId: string,
): AsyncGenerator<KeptRecord[]> {
  for (let after: Mark | undefined; ; ) {
    const rows = await store.records(table, dealerId, { ...store.pageAtOnce, groupIds: [groupId], after });
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    after = { at: last.createdAt, key: [groupId, ...(last.intent === null ? [] : [last.intent])] };
  }
}

async function* eventsOf(
  { pageAtOnce }: Exported,
  read: (part: Exported['pageAtOnce'] & { readonly after: number }) => Promise<KeptEvent[]>,
): AsyncGenerator<KeptEvent[]> {
  for (let after = 0; ; ) {
    const events = await read({ ...pageAtOnce, after });
    const last = events.at(-1);
    if (!last) return;
    yield events;
    after = last.seq;
  }
}
