/** The statements that every batch and every join run, prepared once. */
import { and, eq, max, sql } from 'drizzle-orm';
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import * as tables from '../../drizzle/sqlite/schema.ts';
import type { Fields } from '../../schemas/records.ts';
import { DESK_SCOPE } from '../../schemas/table.ts';
import type { Group } from '../domain/state.ts';
import { digestOf } from './erasing.ts';
import { type Changes, type DealerSeqs, type Needs, namedRow, type Prior, type Rows, type Standing } from './store.ts';

const $ = sql.placeholder;
/** The value that an upsert would have inserted. */
const given = (column: string) => sql.raw(`excluded.${column}`);

export function prepareStatements(db: BetterSQLite3Database) {
  const read = prepareReads(db);
  const insert = prepareWrites(db);

  /** The rows that a batch needs, as they stand. */
  function load(needs: Needs): Rows {
    const places = found(needs.places, ([dealerId = '', adminId = '']) => read.places(dealerId, adminId));
    const groups = new Map(needs.groups);
    for (const [key, [dealerId = '']] of needs.places) {
      for (const place of places.get(key) ?? []) groups.set(`${dealerId}/${place}`, [dealerId, place]);
    }
    const foundGroups = found(groups, ([dealerId = '', groupId = '']) => read.group(dealerId, groupId));
    const missing = new Map([...groups].filter(([key]) => !foundGroups.has(key)));
    return {
      erased: found(missing, ([dealerId = '', groupId = '']) => read.erased(dealerId, digestOf(dealerId, groupId))),
      dealers: found(needs.dealers, ([dealerId = '']) => read.dealerSeqs(dealerId)),
      groups: foundGroups,
      places,
      presences: found(needs.presences, ([dealerId = '', sender = '']) => read.presences(dealerId, sender)),
      users: found(needs.users, ([dealerId = '', groupId = '']) => read.user(dealerId, groupId)),
      leads: found(needs.leads, ([dealerId = '', groupId = '']) => read.lead(dealerId, groupId)),
      intents: found(needs.intents, ([dealerId = '', groupId = '', intent = '']) =>
        read.intent(dealerId, groupId, intent),
      ),
      priors: found(needs.priors, ([dealerId = '', scope = '', sender = '', id = '']) =>
        read.prior(dealerId, scope, sender, id),
      ),
    };
  }

  function write({ events, moves, arrivals, dealers, groups, users, leads, intents, at }: Changes): void {
    for (const event of events) insert.event.run({ ...event, keyed: event.keyed ? 1 : 0 });
    for (const [key, row] of dealers) insert.dealer.run({ dealerId: key, ...row, at });
    for (const [key, row] of groups) insert.group.run({ ...namedRow(key), ...row, ...groupFlags(row), at });
    for (const { online, ...who } of arrivals) {
      if (online) insert.presence.run({ ...who, at });
      else insert.absence.run(who);
    }
    for (const move of moves) insert.chat.run({ ...move, online: move.online ? 1 : 0, at });
    for (const [key, row] of users) insert.user.run({ ...namedRow(key), fields: JSON.stringify(row), at });
    for (const [key, row] of leads) insert.lead.run({ ...namedRow(key), fields: JSON.stringify(row), at });
    for (const [key, row] of intents) insert.intent.run({ ...namedRow(key), fields: JSON.stringify(row), at });
  }

  function standing(dealerId: string, groupId?: string): Standing {
    const dealer = read.dealer(dealerId);
    return {
      dealer: dealer ?? null,
      group: groupId === undefined ? null : (read.group(dealerId, groupId) ?? null),
      adminOnline: read.adminOnline(dealerId),
    };
  }

  return { load, write, standing, dealerSeqs: read.dealerSeqs, group: read.group };
}

function found<Row>(
  needs: Map<string, readonly string[]>,
  get: (parts: readonly string[]) => Row | undefined,
): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const [key, parts] of needs) {
    const row = get(parts);
    if (row !== undefined) rows.set(key, row);
  }
  return rows;
}

const groupFlags = ({ online, mutedBy, closed }: Group) => ({
  online: online ? 1 : 0,
  muted: mutedBy === null ? 0 : 1,
  closed: closed ? 1 : 0,
});

function prepareReads(db: BetterSQLite3Database) {
  const { dealers, groups, chats, presences, users, leads, leadIntents, events, erasures } = tables;
  const dealerSeqs = db
    .select({ dealerSeq: dealers.dealerSeq, deskSeq: dealers.deskSeq })
    .from(dealers)
    .where(eq(dealers.dealerId, $('dealerId')))
    .prepare();
  const dealer = db
    .select({ dealerSeq: dealers.dealerSeq, deskSeq: dealers.deskSeq, origins: dealers.origins })
    .from(dealers)
    .where(eq(dealers.dealerId, $('dealerId')))
    .prepare();
  const group = db
    .select({
      online: groups.online,
      mutedBy: groups.mutedBy,
      closed: groups.closed,
      unread: groups.unread,
      lastSeq: groups.lastSeq,
      lastMessageSeq: groups.lastMessageSeq,
      adminRead: groups.adminRead,
      customerRead: groups.customerRead,
    })
    .from(groups)
    .where(and(eq(groups.dealerId, $('dealerId')), eq(groups.groupId, $('groupId'))))
    .prepare();
  const places = db
    .select({ place: chats.place })
    .from(chats)
    .where(and(eq(chats.dealerId, $('dealerId')), eq(chats.adminId, $('adminId')), sql`online = 1`))
    .prepare();
  const presence = db
    .select({ nodeId: presences.nodeId })
    .from(presences)
    .where(and(eq(presences.dealerId, $('dealerId')), eq(presences.sender, $('sender'))))
    .prepare();
  const adminOnline = db
    .select({ adminId: chats.adminId })
    .from(chats)
    .where(and(eq(chats.dealerId, $('dealerId')), eq(chats.place, DESK_SCOPE), sql`online = 1`))
    .limit(1)
    .prepare();
  const record = (table: typeof users | typeof leads) =>
    db
      .select({ fields: table.fields })
      .from(table)
      .where(and(eq(table.dealerId, $('dealerId')), eq(table.groupId, $('groupId'))))
      .prepare();
  const [user, lead] = [record(users), record(leads)];
  const intent = db
    .select({ fields: leadIntents.fields })
    .from(leadIntents)
    .where(
      and(
        eq(leadIntents.dealerId, $('dealerId')),
        eq(leadIntents.groupId, $('groupId')),
        eq(leadIntents.intent, $('intent')),
      ),
    )
    .prepare();
  const prior = db
    .select({ seq: events.seq, at: events.at })
    .from(events)
    .where(
      and(
        eq(events.dealerId, $('dealerId')),
        eq(events.scope, $('scope')),
        eq(events.sender, $('sender')),
        eq(events.id, $('id')),
        sql`keyed = 1`,
      ),
    )
    .prepare();
  const erased = db
    .select({ lastSeq: max(erasures.lastSeq) })
    .from(erasures)
    .where(and(eq(erasures.dealerId, $('dealerId')), eq(erasures.digest, $('digest'))))
    .prepare();
  const parsed = (row: { fields: string } | undefined): Fields | undefined => row && JSON.parse(row.fields);
  return {
    erased: (dealerId: string, digest: string) => erased.get({ dealerId, digest })?.lastSeq ?? undefined,
    dealerSeqs: (dealerId: string): DealerSeqs | undefined => dealerSeqs.get({ dealerId }),
    dealer: (dealerId: string) => dealer.get({ dealerId }),
    group: (dealerId: string, groupId: string): Group | undefined => group.get({ dealerId, groupId }),
    places: (dealerId: string, adminId: string) => new Set(places.all({ dealerId, adminId }).map(({ place }) => place)),
    presences: (dealerId: string, sender: string) =>
      new Set(presence.all({ dealerId, sender }).map(({ nodeId }) => nodeId)),
    adminOnline: (dealerId: string) => adminOnline.get({ dealerId }) !== undefined,
    user: (dealerId: string, groupId: string) => parsed(user.get({ dealerId, groupId })),
    lead: (dealerId: string, groupId: string) => parsed(lead.get({ dealerId, groupId })),
    intent: (dealerId: string, groupId: string, word: string) =>
      parsed(intent.get({ dealerId, groupId, intent: word })),
    prior: (dealerId: string, scope: string, sender: string, id: string): Prior | undefined =>
      prior.get({ dealerId, scope, sender, id }),
  };
}

function prepareWrites(db: BetterSQLite3Database) {
  const { dealers, groups, chats, presences, users, leads, leadIntents, events } = tables;
  const groupState = {
    online: $('online'),
    muted: $('muted'),
    mutedBy: $('mutedBy'),
    closed: $('closed'),
    unread: $('unread'),
    lastSeq: $('lastSeq'),
    lastMessageSeq: $('lastMessageSeq'),
    adminRead: $('adminRead'),
    customerRead: $('customerRead'),
    updatedAt: $('at'),
  };
  const groupColumns = Object.keys(groupState) as (keyof typeof groupState)[];
  const record = {
    dealerId: $('dealerId'),
    groupId: $('groupId'),
    fields: $('fields'),
    createdAt: $('at'),
    updatedAt: $('at'),
  };
  const recordChange = { fields: given('fields'), updatedAt: given('updated_at') };
  const recordInto = (table: typeof users | typeof leads) =>
    db
      .insert(table)
      .values(record)
      .onConflictDoUpdate({ target: [table.dealerId, table.groupId], set: recordChange })
      .prepare();
  return {
    event: db
      .insert(events)
      .values({
        dealerId: $('dealerId'),
        scope: $('scope'),
        seq: $('seq'),
        id: $('id'),
        keyed: $('keyed'),
        sender: $('sender'),
        type: $('type'),
        groupId: $('groupId'),
        payload: $('payload'),
        at: $('at'),
      })
      .prepare(),
    dealer: db
      .insert(dealers)
      .values({ dealerId: $('dealerId'), dealerSeq: $('dealerSeq'), deskSeq: $('deskSeq'), createdAt: $('at') })
      .onConflictDoUpdate({
        target: dealers.dealerId,
        set: { dealerSeq: given('dealer_seq'), deskSeq: given('desk_seq') },
      })
      .prepare(),
    group: db
      .insert(groups)
      .values({ dealerId: $('dealerId'), groupId: $('groupId'), ...groupState, createdAt: $('at') })
      .onConflictDoUpdate({
        target: [groups.dealerId, groups.groupId],
        set: Object.fromEntries(groupColumns.map((column) => [column, given(groups[column].name)])),
      })
      .prepare(),
    chat: db
      .insert(chats)
      .values({ dealerId: $('dealerId'), adminId: $('adminId'), place: $('place'), online: $('online'), at: $('at') })
      .onConflictDoUpdate({
        target: [chats.dealerId, chats.adminId, chats.place],
        set: { online: given('online'), at: given('at') },
      })
      .prepare(),
    presence: db
      .insert(presences)
      .values({ dealerId: $('dealerId'), sender: $('sender'), nodeId: $('nodeId'), at: $('at') })
      .onConflictDoNothing()
      .prepare(),
    absence: db
      .delete(presences)
      .where(
        and(
          eq(presences.dealerId, $('dealerId')),
          eq(presences.sender, $('sender')),
          eq(presences.nodeId, $('nodeId')),
        ),
      )
      .prepare(),
    user: recordInto(users),
    lead: recordInto(leads),
    intent: db
      .insert(leadIntents)
      .values({ ...record, intent: $('intent') })
      .onConflictDoUpdate({
        target: [leadIntents.dealerId, leadIntents.groupId, leadIntents.intent],
        set: recordChange,
      })
      .prepare(),
  };
}
