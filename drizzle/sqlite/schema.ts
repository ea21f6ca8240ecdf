/**
 * The tables of the embedded database. One append-only log, few projections; every key begins with the dealer, so that
 * a row of two dealers cannot exist, but for the log's own, which is a position. Times are milliseconds since 1970; JSON is
 * kept as the text that was delivered.
 */
import { and, eq, not, sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, sqliteView, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { KeptTogether } from '../../schemas/dealers.ts';
import type { Event } from '../../schemas/delivered.ts';
import type { ErrorCode } from '../../schemas/errors.ts';
import type { Author } from '../../schemas/kinds.ts';

const flag = (name: string) => integer(name, { mode: 'boolean' }).notNull().default(false);
const count = (name: string) => integer(name).notNull().default(0);
const instant = (name: string) => integer(name).notNull();

/**
 * A tenant. The last seqs and positions are those of its scopes `@dealer` and `@desk`. Where their logs end (positions, and the seqs
 * there, `…_logged`) is for triggers alone to write.
 */
export const dealers = sqliteTable(
  'dealers',
  {
    dealerId: text('dealer_id').primaryKey(),
    name: text('name'),
    email: text('email'),
    phone: text('phone'),
    origins: text('origins', { mode: 'json' }).$type<string[]>().notNull().default([]),
    retentionDays: integer('retention_days'),
    claims: text('claims').$type<'any' | 'made' | 'off'>(),
    /** [P-12, P-13] See `Rules`. */
    botSpokeAt: count('bot_spoke_at'),
    aloneSince: integer('alone_since').default(0),
    lookAt: integer('look_at'),
    isOpen: flag('is_open').default(true),
    /** All other settings. */
    settings: text('settings', { mode: 'json' }).$type<KeptTogether>().notNull().default({}),
    dealerSeq: count('dealer_seq'),
    deskSeq: count('desk_seq'),
    dealerPosition: count('dealer_position'),
    deskPosition: count('desk_position'),
    dealerLogged: count('dealer_logged'),
    deskLogged: count('desk_logged'),
    createdAt: instant('created_at'),
  },
  (table) => [index('dealers_look').on(table.lookAt).where(sql`look_at is not null`)],
);

/**
 * One customer's conversation, as it stands after the last event of its scope. Where its log ends (the positions, and the seq there,
 * `logged`) is for triggers alone to write.
 */
export const groups = sqliteTable(
  'groups',
  {
    dealerId: text('dealer_id').notNull(),
    groupId: text('group_id').notNull(),
    online: flag('online'),
    muted: flag('muted'),
    mutedBy: text('muted_by'),
    closed: flag('closed'),
    closedBy: text('closed_by').$type<Author>(),
    unread: count('unread'),
    lastSeq: count('last_seq'),
    lastMessageSeq: count('last_message_seq'),
    lastPosition: count('last_position'),
    lastMessagePosition: count('last_message_position'),
    logged: count('logged'),
    adminRead: count('admin_read'),
    customerRead: count('customer_read'),
    /** By what its customer holds the name: see `Group.holder`. */
    holder: text('holder'),
    /** [P-12] Who must answer, and what a person has taken: see `Group`. */
    waitingSince: integer('waiting_since'),
    waitingFor: text('waiting_for').$type<'bot' | 'admin'>(),
    turnedAt: count('turned_at'),
    marks: count('marks'),
    assignee: text('assignee'),
    actedAt: count('acted_at'),
    botRun: count('bot_run'),
    due: integer('due'),
    /** Of one that was set aside: the digest of the name that it had. */
    formerly: text('formerly'),
    /** The last seq of the conversation that had the name before and was set aside; 0: there was none. */
    beginsAfter: count('begins_after'),
    createdAt: instant('created_at'),
    updatedAt: instant('updated_at'),
    /** The minute of it, which the index has: SQLite writes an index with every column of it that is set. */
    updatedMinute: count('updated_minute'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.groupId] }),
    index('groups_updated').on(table.dealerId, table.updatedMinute),
    index('groups_formerly').on(table.dealerId, table.formerly).where(sql`formerly is not null`),
    index('groups_due').on(table.due).where(sql`due is not null`),
    index('groups_pending').on(table.dealerId, table.due).where(sql`due is not null`),
    index('groups_online').on(table.dealerId, table.groupId).where(sql`online = 1`),
  ],
);

/** [P-12.7] How far each admin has read in a conversation, as a seq. */
export const adminReads = sqliteTable(
  'admin_reads',
  {
    dealerId: text('dealer_id').notNull(),
    groupId: text('group_id').notNull(),
    adminId: text('admin_id').notNull(),
    seq: count('seq'),
  },
  (table) => [primaryKey({ columns: [table.dealerId, table.groupId, table.adminId] })],
);

/** Which admin is, or last was, present where: a groupId, or `@desk` for the dealer itself. */
export const chats = sqliteTable(
  'chats',
  {
    dealerId: text('dealer_id').notNull(),
    adminId: text('admin_id').notNull(),
    place: text('place').notNull(),
    online: flag('online'),
    at: instant('at'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.adminId, table.place] }),
    index('chats_online').on(table.dealerId, table.place).where(sql`online = 1`),
  ],
);

/** Which node has sockets of whom: a customer or admin is here as long as one has. */
export const presences = sqliteTable(
  'presences',
  {
    dealerId: text('dealer_id').notNull(),
    sender: text('sender').notNull(),
    nodeId: text('node_id').notNull(),
    at: instant('at'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.sender, table.nodeId] }),
    index('presences_node').on(table.nodeId),
    index('presences_servers').on(table.dealerId).where(sql`sender like 'server:%'`),
  ],
);

/** The nodes that serve this database, and when each was last heard of. */
export const nodes = sqliteTable('nodes', { nodeId: text('node_id').primaryKey(), seenAt: instant('seen_at') });

/**
 * [P-4] The least generation of which tokens are taken: of a dealer (an empty subject), or of one subject of it. A generation
 * is the time, in ms since 1970, at which it was raised. A dealer that was removed leaves its own.
 */
export const generations = sqliteTable(
  'generations',
  {
    dealerId: text('dealer_id').notNull(),
    subject: text('subject').notNull(),
    gen: instant('gen'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.subject] }),
    index('generations_dealer').on(table.dealerId, table.gen),
    index('generations_gen').on(table.gen),
  ],
);

/**
 * [P-21.1] The epoch of a log that was brought here whole, and what this log is known by by itself: as long as it is known by that, the
 * epoch is still the one it was brought with.
 */
export const epochs = sqliteTable('epochs', { log: text('log').primaryKey(), epoch: text('epoch').notNull() });

/** Tokens and codes that are good for nothing more, by their `jti`, kept until they would have ended. */
export const spentTokens = sqliteTable(
  'spent_tokens',
  {
    dealerId: text('dealer_id').notNull(),
    tokenId: text('token_id').notNull(),
    at: instant('at'),
    expiresAt: instant('expires_at'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.tokenId] }),
    index('spent_tokens_at').on(table.at),
    index('spent_tokens_expires').on(table.expiresAt),
  ],
);

/** Events that came over Redis and were refused: the text and the details as JSON, and the dealer and group that each names. */
export const deadLetters = sqliteTable(
  'dead_letters',
  {
    deadLetterId: text('dead_letter_id').primaryKey(),
    source: text('source').$type<'events' | 'ingress' | 'dialect'>().notNull(),
    payload: text('payload').notNull(),
    dealerId: text('dealer_id'),
    groupId: text('group_id'),
    code: text('code').$type<ErrorCode>().notNull(),
    message: text('message').notNull(),
    details: text('details').notNull(),
    at: instant('at'),
  },
  (table) => [index('dead_letters_group').on(table.dealerId, table.groupId)],
);

/** Which of a scope's events are in the index of milestones. As it is written here, a query must say it to be answered by that index. */
export const IS_MILESTONE = 'seq % 32 = 0';

/**
 * The log, and the source of truth. An event is written at the end, with the position of the one before it in its scope,
 * 0 for the first: a scope is read backwards, from a milestone or from the last position that its group or dealer keeps.
 * Only what its sender gave an id is in the index that knows a repeat.
 *
 * Triggers of migration 0005 hold what no index could at that price: an event follows the last of its scope, with a greater seq.
 * They note it in the row of its group or dealer, which is written anyway. None moves afterwards.
 *
 * `events_place` is for whoever asks in SQL. It is a key by parts of 4,096 events: what is written lies in the last part, in a few
 * pages, and what is asked for is looked up in each part, which SQLite does by itself (a skip-scan) where `sqlite_stat1` tells it
 * how large they are. The migration writes that, too.
 */
export const events = sqliteTable(
  'events',
  {
    position: integer('position').primaryKey(),
    previous: integer('previous').notNull(),
    dealerId: text('dealer_id').notNull(),
    scope: text('scope').notNull(),
    seq: integer('seq').notNull(),
    id: text('id').notNull(),
    keyed: flag('keyed'),
    sender: text('sender').notNull(),
    type: text('type').$type<Event['type']>().notNull(),
    groupId: text('group_id'),
    payload: text('payload').notNull(),
    at: instant('at'),
  },
  (table) => [
    uniqueIndex('events_milestones').on(table.dealerId, table.scope, table.seq).where(sql.raw(IS_MILESTONE)),
    uniqueIndex('events_place').on(sql`position >> 12`, table.dealerId, table.scope, table.seq),
    index('events_messages_at').on(table.at).where(sql`type = 'CHAT_MSG'`),
    index('events_pageviews_at').on(table.at).where(sql`type = 'UPDATE_PAGEVIEW'`),
    index('events_desk').on(table.dealerId, table.groupId, table.seq).where(sql`scope = '@desk'`),
    index('events_pageviews').on(table.dealerId, table.seq).where(sql`type = 'UPDATE_PAGEVIEW'`),
    // The id comes first: ids that grow with time then go to the end of the index, whoever's they are.
    uniqueIndex('events_key').on(table.id, table.dealerId, table.scope, table.sender).where(sql`keyed = 1`),
  ],
);

/**
 * The one user and the one lead of a group, as JSON objects: what both sides said, merged, and what of it is the customer's
 * word alone, or said against the dealer's. Of what an earlier version kept it is not known: it counts as the dealer's.
 */
const record = () => ({
  dealerId: text('dealer_id').notNull(),
  groupId: text('group_id').notNull(),
  fields: text('fields').notNull(),
  customer: text('customer').notNull().default('{}'),
  createdAt: instant('created_at'),
  updatedAt: instant('updated_at'),
});

export const users = sqliteTable('users', record(), (table) => [
  primaryKey({ columns: [table.dealerId, table.groupId] }),
  index('users_created').on(table.dealerId, table.createdAt, table.groupId),
]);

/** What people put into a phone number besides its digits. */
const BETWEEN_DIGITS = ["' '", 'char(160)', "'-'", "'('", "')'", "'.'", "'/'", "'+'"];
const email = "lower(trim(fields ->> '$.email'))";
const digits = BETWEEN_DIGITS.reduce((number, one) => `replace(${number}, ${one}, '')`, "fields ->> '$.phone'");

/** By its keys, one customer is found in several conversations [P-11.3]. */
export const leads = sqliteTable(
  'leads',
  {
    ...record(),
    emailKey: text('email_key').generatedAlwaysAs(
      sql.raw(`case when instr(${email}, '@') > 1 and length(${email}) <= 254 then ${email} end`),
    ),
    phoneKey: text('phone_key').generatedAlwaysAs(
      sql.raw(`case when length(${digits}) between 7 and 20 and ${digits} not glob '*[^0-9]*' then ${digits} end`),
    ),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.groupId] }),
    index('leads_created').on(table.dealerId, table.createdAt, table.groupId),
    index('leads_email').on(table.dealerId, table.emailKey, table.groupId).where(sql`email_key is not null`),
    index('leads_phone').on(table.dealerId, table.phoneKey, table.groupId).where(sql`phone_key is not null`),
  ],
);

/** Intents of a lead: one row for each word (`buy`, `test_drive`, …) of a group. */
export const leadIntents = sqliteTable('lead_intents', { ...record(), intent: text('intent').notNull() }, (table) => [
  primaryKey({ columns: [table.dealerId, table.groupId, table.intent] }),
  index('lead_intents_created').on(table.dealerId, table.createdAt, table.groupId, table.intent),
]);

/**
 * What was erased, as a receipt that names nobody: `digest` is that of the group's name, keyed, so that only who knows the name
 * and the server's secret finds it. A new conversation of that name goes on counting after `lastSeq`.
 */
export const erasures = sqliteTable(
  'erasures',
  {
    dealerId: text('dealer_id').notNull(),
    erasureId: text('erasure_id').notNull(),
    digest: text('digest').notNull(),
    reason: text('reason').$type<'request' | 'retention'>().notNull(),
    /** Name of who asked for it; null: an older version did not note it. */
    by: text('by'),
    lastSeq: count('last_seq'),
    events: count('events'),
    pageviews: count('pageviews'),
    users: count('users'),
    leads: count('leads'),
    intents: count('intents'),
    at: instant('at'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.erasureId] }),
    index('erasures_digest').on(table.dealerId, table.digest),
    index('erasures_at').on(table.dealerId, table.at, table.erasureId),
  ],
);

/**
 * Conversations that are erased, and are not out of the log yet: nothing of theirs can be read, and they go part by part. `groupId`
 * is theirs until the last part is gone, then null until nothing is left of them beside the tables either. `lastSeq` and `deskSeq`
 * are the last that is still there of the conversation, and of what the desk was told of it; 0: nothing is.
 */
export const erasing = sqliteTable(
  'erasing',
  {
    dealerId: text('dealer_id').notNull(),
    erasureId: text('erasure_id').notNull(),
    groupId: text('group_id'),
    lastSeq: count('last_seq'),
    deskSeq: count('desk_seq'),
    /** The position of the last of its events that is still there. */
    lastPosition: count('last_position'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.erasureId] }),
    index('erasing_group').on(table.dealerId, table.groupId),
  ],
);

/** Tells whether an event is one of an erased conversation, whose name is in the first column, up to the seq in the second. */
const isErased = (name: string, last: string) =>
  sql.raw(`exists (select 1 from erasing x
  where x.dealer_id = events.dealer_id and x.group_id = events.${name} and events.seq <= x.${last})`);

/**
 * Who took out, erased or changed what, and from where; it names no customer. `auditId` is in the order of time. Of a dealer
 * that was removed nothing is left but that it was, filed under `*`.
 */
export const audit = sqliteTable(
  'audit',
  {
    dealerId: text('dealer_id').notNull(),
    auditId: text('audit_id').notNull(),
    at: instant('at'),
    by: text('by').notNull(),
    action: text('action').notNull(),
    route: text('route').notNull(),
    address: text('address'),
    detail: text('detail'),
  },
  (table) => [primaryKey({ columns: [table.dealerId, table.auditId] })],
);

const field = <T>(path: string, name: string) => sql<T>`json_extract(payload, ${sql.raw(`'$.${path}'`)})`.as(name);

/** The chat, for people who open the database. */
export const messages = sqliteView('messages').as((query) =>
  query
    .select({
      dealerId: events.dealerId,
      groupId: sql<string>`scope`.as('group_id'), // which is in the index
      seq: events.seq,
      id: events.id,
      user: field<string>('user', 'user'),
      adminId: field<string | null>('adminId', 'admin_id'),
      message: field<string>('message', 'message'),
      at: events.at,
    })
    .from(events)
    .where(and(eq(events.type, sql`'CHAT_MSG'`), not(isErased('scope', 'last_seq')))),
);

/** The page views, for people who open the database. */
export const pageviews = sqliteView('pageviews').as((query) =>
  query
    .select({
      dealerId: events.dealerId,
      groupId: events.groupId,
      seq: events.seq,
      id: events.id,
      url: field<string | null>('message.url', 'url'),
      title: field<string | null>('message.title', 'title'),
      message: field<string>('message', 'message'),
      at: events.at,
    })
    .from(events)
    .where(
      and(
        eq(events.scope, sql`'@desk'`),
        eq(events.type, sql`'UPDATE_PAGEVIEW'`),
        not(isErased('group_id', 'desk_seq')),
      ),
    ),
);

/** What everybody of a dealer was told, for people who open the database. */
export const announcements = sqliteView('announcements').as((query) =>
  query
    .select({
      dealerId: events.dealerId,
      seq: events.seq,
      id: events.id,
      adminId: field<string>('adminId', 'admin_id'),
      message: field<string>('message', 'message'),
      at: events.at,
    })
    .from(events)
    .where(and(eq(events.scope, sql`'@dealer'`), eq(events.type, sql`'SYS_MSG'`))),
);
