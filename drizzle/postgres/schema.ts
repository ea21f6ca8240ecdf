/**
 * The tables of a platform's database, column by column those of the embedded one. One append-only log, few projections;
 * every key begins with the dealer, so that a row of two dealers cannot exist. Times are milliseconds since 1970; JSON is
 * kept as the text that was delivered.
 */
import { and, eq, not, sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  pgView,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { KeptTogether } from '../../schemas/dealers.ts';
import type { Event } from '../../schemas/delivered.ts';
import type { ErrorCode } from '../../schemas/errors.ts';
import type { Author } from '../../schemas/kinds.ts';

const flag = (name: string) => boolean(name).notNull().default(false);
const count = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
const instant = (name: string) => bigint(name, { mode: 'number' }).notNull();

/** A tenant. The last seqs are those of its scopes `@dealer` and `@desk`. */
export const dealers = pgTable(
  'dealers',
  {
    dealerId: text('dealer_id').primaryKey(),
    name: text('name'),
    email: text('email'),
    phone: text('phone'),
    origins: jsonb('origins').$type<string[]>().notNull().default([]),
    retentionDays: integer('retention_days'),
    claims: text('claims').$type<'any' | 'made' | 'off'>(),
    /** [P-12, P-13] See `Rules`. */
    botSpokeAt: count('bot_spoke_at'),
    aloneSince: bigint('alone_since', { mode: 'number' }).default(0),
    lookAt: bigint('look_at', { mode: 'number' }),
    isOpen: flag('is_open').default(true),
    /** All other settings. */
    settings: jsonb('settings').$type<KeptTogether>().notNull().default({}),
    dealerSeq: count('dealer_seq'),
    deskSeq: count('desk_seq'),
    createdAt: instant('created_at'),
  },
  (table) => [index('dealers_look').on(table.lookAt).where(sql`look_at is not null`)],
);

/**
 * One customer's conversation, as it stands after the last event of its scope. Every message changes `updated_at`: what the
 * index has is the minute of it. A row of which nothing changes that an index has is written where it stands, and no index is.
 */
export const groups = pgTable(
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
    adminRead: count('admin_read'),
    customerRead: count('customer_read'),
    /** By what its customer holds the name: see `Group.holder`. */
    holder: text('holder'),
    /** [P-12] Who must answer, and what a person has taken: see `Group`. */
    waitingSince: bigint('waiting_since', { mode: 'number' }),
    waitingFor: text('waiting_for').$type<'bot' | 'admin'>(),
    turnedAt: count('turned_at'),
    marks: count('marks'),
    assignee: text('assignee'),
    actedAt: count('acted_at'),
    botRun: count('bot_run'),
    due: bigint('due', { mode: 'number' }),
    /** Of one that was set aside: the digest of the name that it had. */
    formerly: text('formerly'),
    /** The last seq of the conversation that had the name before and was set aside; 0: there was none. */
    beginsAfter: count('begins_after'),
    createdAt: instant('created_at'),
    updatedAt: instant('updated_at'),
    updatedMinute: instant('updated_minute').generatedAlwaysAs(sql`updated_at / 60000`),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.groupId] }),
    index('groups_updated').on(table.dealerId, table.updatedMinute),
    index('groups_formerly').on(table.dealerId, table.formerly).where(sql`formerly is not null`),
    index('groups_due').on(table.due).where(sql`due is not null`),
    index('groups_pending').on(table.dealerId, table.due).where(sql`due is not null`),
    index('groups_online').on(table.dealerId, table.groupId).where(sql`online`),
  ],
);

/** [P-12.7] How far each admin has read in a conversation, as a seq. */
export const adminReads = pgTable(
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
export const chats = pgTable(
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
    index('chats_online').on(table.dealerId, table.place).where(sql`online`),
  ],
);

/** Which node has sockets of whom: a customer or admin is here as long as one has. */
export const presences = pgTable(
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
export const nodes = pgTable('nodes', { nodeId: text('node_id').primaryKey(), seenAt: instant('seen_at') });

/**
 * [P-4] The least generation of which tokens are taken: of a dealer (an empty subject), or of one subject of it. A generation
 * is the time, in ms since 1970, at which it was raised. A dealer that was removed leaves its own.
 */
export const generations = pgTable(
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
export const epochs = pgTable('epochs', { log: text('log').primaryKey(), epoch: text('epoch').notNull() });

/** Tokens and codes that are good for nothing more, by their `jti`, kept until they would have ended. */
export const spentTokens = pgTable(
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
export const deadLetters = pgTable(
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

/** The log, and the source of truth. Only what its sender gave an id is in the index that knows a repeat. */
export const events = pgTable(
  'events',
  {
    dealerId: text('dealer_id').notNull(),
    scope: text('scope').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    id: text('id').notNull(),
    keyed: flag('keyed'),
    sender: text('sender').notNull(),
    type: text('type').$type<Event['type']>().notNull(),
    groupId: text('group_id'),
    payload: text('payload').notNull(),
    at: instant('at'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.scope, table.seq] }),
    index('events_desk').on(table.dealerId, table.groupId, table.seq).where(sql`scope = '@desk'`),
    index('events_pageviews').on(table.dealerId, table.seq).where(sql`type = 'UPDATE_PAGEVIEW'`),
    // The id comes first: ids that grow with time then go to the end of the index, whoever's they are.
    uniqueIndex('events_key').on(table.id, table.dealerId, table.scope, table.sender).where(sql`keyed`),
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

export const users = pgTable('users', record(), (table) => [
  primaryKey({ columns: [table.dealerId, table.groupId] }),
  index('users_created').on(table.dealerId, table.createdAt, table.groupId),
]);

/**
 * A text as JSON that Postgres can make texts of: they cannot hold every character that a customer may send. U+0000 and lone
 * surrogates, which are escapes in it, become U+FFFD; an escape's backslash has an even number of others before it.
 */
const readable = (column: 'payload' | 'fields') =>
  sql.raw(String.raw`regexp_replace(${column}, '(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f]..)', '\1\\ufffd', 'g')::json`);

const email = sql`lower(trim(${readable('fields')} ->> 'email') collate "C")`;
/** Digits of a phone number, where people put nothing else between them than this. */
const digits = sql`translate(${readable('fields')} ->> 'phone', ' -()./+' || chr(160), '')`;

/** By its keys, one customer is found in several conversations [P-11.3]. */
export const leads = pgTable(
  'leads',
  {
    ...record(),
    emailKey: text('email_key').generatedAlwaysAs(
      sql`case when strpos(${email}, '@') > 1 and length(${email}) <= 254 then ${email} end`,
    ),
    phoneKey: text('phone_key').generatedAlwaysAs(sql`case when ${digits} ~ '^[0-9]{7,20}$' then ${digits} end`),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.groupId] }),
    index('leads_created').on(table.dealerId, table.createdAt, table.groupId),
    index('leads_email').on(table.dealerId, table.emailKey, table.groupId).where(sql`email_key is not null`),
    index('leads_phone').on(table.dealerId, table.phoneKey, table.groupId).where(sql`phone_key is not null`),
  ],
);

/** Intents of a lead: one row for each word (`buy`, `test_drive`, …) of a group. */
export const leadIntents = pgTable('lead_intents', { ...record(), intent: text('intent').notNull() }, (table) => [
  primaryKey({ columns: [table.dealerId, table.groupId, table.intent] }),
  index('lead_intents_created').on(table.dealerId, table.createdAt, table.groupId, table.intent),
]);

/**
 * What was erased, as a receipt that names nobody: `digest` is that of the group's name, keyed, so that only who knows the name
 * and the server's secret finds it. A new conversation of that name goes on counting after `lastSeq`.
 */
export const erasures = pgTable(
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
export const erasing = pgTable(
  'erasing',
  {
    dealerId: text('dealer_id').notNull(),
    erasureId: text('erasure_id').notNull(),
    groupId: text('group_id'),
    lastSeq: count('last_seq'),
    deskSeq: count('desk_seq'),
  },
  (table) => [
    primaryKey({ columns: [table.dealerId, table.erasureId] }),
    index('erasing_group').on(table.dealerId, table.groupId),
  ],
);

/** Tells whether an event is one of an erased conversation, or of what the desk was told of one. */
const isErased = sql`exists (select 1 from erasing x where x.dealer_id = events.dealer_id and x.group_id = events.group_id
  and events.seq <= case events.scope when '@desk' then x.desk_seq else x.last_seq end)`;

/**
 * Who took out, erased or changed what, and from where; it names no customer. `auditId` is in the order of time. Of a dealer
 * that was removed nothing is left but that it was, filed under `*`.
 */
export const audit = pgTable(
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

const field = <T>(path: string, name: string) => sql<T>`${readable('payload')} #>> ${sql.raw(`'{${path}}'`)}`.as(name);

/** The chat, for people who open the database. */
export const messages = pgView('messages').as((query) =>
  query
    .select({
      dealerId: events.dealerId,
      groupId: events.groupId,
      seq: events.seq,
      id: events.id,
      user: field<string>('user', 'user'),
      adminId: field<string | null>('adminId', 'admin_id'),
      message: field<string>('message', 'message'),
      at: events.at,
    })
    .from(events)
    .where(and(eq(events.type, sql`'CHAT_MSG'`), not(isErased))),
);

/** The page views, for people who open the database. */
export const pageviews = pgView('pageviews').as((query) =>
  query
    .select({
      dealerId: events.dealerId,
      groupId: events.groupId,
      seq: events.seq,
      id: events.id,
      url: field<string | null>('message,url', 'url'),
      title: field<string | null>('message,title', 'title'),
      message: field<string>('message', 'message'),
      at: events.at,
    })
    .from(events)
    .where(and(eq(events.scope, sql`'@desk'`), eq(events.type, sql`'UPDATE_PAGEVIEW'`), not(isErased))),
);

/** What everybody of a dealer was told, for people who open the database. */
export const announcements = pgView('announcements').as((query) =>
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
